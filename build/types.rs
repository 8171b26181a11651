//! The wire types: a struct for each complex type, an enum for each enumeration and each choice.
//!
//! Every type reads itself from what was understood of a document (`src/xml/understood.rs`); yaserde writes. Its `flatten`
//! goes through text, and drops in silence what it cannot write: so a struct with a choice is written as another struct,
//! of options, and no enum here derives.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use xsd_parser::models::meta::{ComplexMeta, EnumerationMeta, MetaTypeVariant, MetaTypes};
use xsd_parser::pipeline::renderer::{Context, RenderStep, RenderStepType};

use super::model::{self, Content, NAMESPACE, Occurs, Particle, Value};

/// Prints the wire types.
#[derive(Debug)]
pub struct TypesStep;

impl RenderStep for TypesStep {
    fn render_step_type(&self) -> RenderStepType {
        RenderStepType::Types
    }

    fn render_type(&mut self, ctx: &mut Context<'_, '_>) {
        let types = ctx.meta.types.meta.types;
        if !model::is_ours(types, ctx.ident) {
            return;
        }
        let name = ctx.ident.name.as_str();
        let meta = &ctx.data.meta;
        let code = match &meta.variant {
            MetaTypeVariant::ComplexType(complex) => structure(types, name, complex, &meta.documentation),
            MetaTypeVariant::Enumeration(words) => enumeration(name, words, &meta.documentation),
            _ => return,
        };
        ctx.main_module().append(code);
    }
}

/// `direct-signer` becomes `DirectSigner`, `WAIT_FOR_CALLBACK` becomes `WaitForCallback`, `3` becomes `Level3`.
pub fn pascal(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_digit()) {
        return format!("Level{name}");
    }
    let shouting = !name.chars().any(|c| c.is_ascii_lowercase());
    let words = name.split(['-', '_']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            let rest = if shouting { rest.to_ascii_lowercase() } else { rest.to_owned() };
            first.to_ascii_uppercase() + &rest
        })
        .collect()
}

fn type_ident(name: &str) -> Ident {
    match pascal(name).as_str() {
        "Self" => Ident::new("Self_", Span::call_site()),
        name => Ident::new(name, Span::call_site()),
    }
}

/// `exit-urls` becomes `exit_urls`, and so does `ExitUrls`.
fn field_ident(name: &str) -> Ident {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    Ident::new(&snake, Span::call_site())
}

fn docs(docs: &[String]) -> TokenStream {
    let lines = docs.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.map(|line| format!(" {line}"));
    quote!(#( #[doc = #lines] )*)
}

fn rust_type(value: &Value<'_>) -> TokenStream {
    match value {
        Value::Text(_) | Value::DateTime => quote!(String),
        Value::Integer(rust, _) => {
            let rust = Ident::new(rust, Span::call_site());
            quote!(#rust)
        }
        Value::Enumeration(ident) | Value::Complex(ident) => {
            let ident = type_ident(ident.name.as_str());
            quote!(#ident)
        }
    }
}

/// The attributes that make yaserde write a struct in the API's namespace, under an XML name.
fn yaserde(name: &str) -> TokenStream {
    quote! {
        #[derive(YaSerialize)]
        #[yaserde(rename = #name, prefix = "v1", default_namespace = "v1", namespaces = { "v1" = #NAMESPACE })]
    }
}

fn structure(types: &MetaTypes, name: &str, complex: &ComplexMeta, documentation: &[String]) -> TokenStream {
    let ident = type_ident(name);
    let documentation = docs(documentation);
    let yaserde = yaserde(name);
    let attributes = model::attributes(types, &complex.attributes);
    let attribute_fields: Vec<TokenStream> = attributes
        .iter()
        .map(|attribute| {
            let (name, field) = (attribute.name, field_ident(attribute.name));
            let documentation = docs(attribute.docs);
            let type_ = rust_type(&attribute.value);
            let type_ = if attribute.required { type_ } else { quote!(Option<#type_>) };
            quote!(#documentation #[yaserde(attribute = true, rename = #name)] pub #field: #type_,)
        })
        .collect();
    let read_attributes = attributes.iter().map(|attribute| {
        let (name, field) = (attribute.name, field_ident(attribute.name));
        let read = if attribute.required { quote!(attribute) } else { quote!(optional_attribute) };
        quote!(#field: element.#read(#name)?,)
    });
    let read_attributes = quote!(#( #read_attributes )*);
    let particles = match model::content(types, complex) {
        Content::Empty => vec![],
        Content::Text(value) => {
            let type_ = rust_type(&value);
            let read = read(&ident, &quote!(#read_attributes text: element.value()?,));
            return quote! {
                #documentation
                #[derive(Clone, PartialEq)]
                #yaserde
                pub struct #ident {
                    #( #attribute_fields )*
                    /// The text in the element.
                    #[yaserde(text = true)]
                    pub text: #type_,
                }

                #read
            };
        }
        Content::Particles(particles) => particles,
    };
    if particles.iter().all(|particle| matches!(particle, Particle::Element { .. })) {
        let fields = particles.iter().map(element_field);
        let elements = particles.iter().map(read_element);
        let read = read(&ident, &quote!(#read_attributes #( #elements )*));
        return quote! {
            #documentation
            #[derive(Clone, PartialEq)]
            #yaserde
            pub struct #ident { #( #attribute_fields )* #( #fields )* }

            #read
        };
    }
    let names: Vec<Ident> = attributes.iter().map(|attribute| field_ident(attribute.name)).collect();
    let attributes = attributes.iter().map(|attribute| {
        let (field, type_) = (field_ident(attribute.name), rust_type(&attribute.value));
        if attribute.required { quote!(pub #field: #type_,) } else { quote!(pub #field: Option<#type_>,) }
    });
    let attributes = quote!(#( #attributes )*);
    with_choices(name, &documentation, (&attributes, &attribute_fields, &names, read_attributes), &particles)
}

/// How a struct takes its fields from an element.
fn read(ident: &Ident, fields: &TokenStream) -> TokenStream {
    let element = if fields.is_empty() { quote!(_) } else { quote!(element) };
    quote! {
        impl Read for #ident {
            fn read(#element: &Understood<'_>) -> Result<Self, XmlError> {
                Ok(Self { #fields })
            }
        }
    }
}

/// How a field takes its value from the elements in an element.
fn read_element(particle: &Particle<'_>) -> TokenStream {
    let Particle::Element { name, occurs, .. } = particle else {
        panic!("a group is not a field");
    };
    let (field, read) = (
        field_ident(name),
        match occurs {
            Occurs::Once => quote!(one),
            Occurs::Optional => quote!(optional),
            Occurs::Between(..) => quote!(many),
        },
    );
    quote!(#field: element.#read(#name)?,)
}

/// A struct with choices in it. yaserde writes another struct, in which every element of every alternative is optional;
/// the choice says which elements go together.
fn with_choices(
    name: &str,
    documentation: &TokenStream,
    (attributes, attribute_fields, attribute_names, read_attributes): (
        &TokenStream,
        &[TokenStream],
        &[Ident],
        TokenStream,
    ),
    particles: &[Particle<'_>],
) -> TokenStream {
    let ident = type_ident(name);
    let fields_ident = format_ident!("{ident}Fields");
    let yaserde = yaserde(name);
    let fields_documentation = format!(" What yaserde writes for [`{ident}`].");

    let mut own = Vec::new();
    let mut flat = Vec::new();
    let mut own_read = vec![read_attributes];
    let mut write = Vec::new();
    let mut parts = Vec::new();
    let mut choices = Vec::new();
    for particle in particles {
        match particle {
            Particle::Element { name, occurs, value, docs: documentation } => {
                let (field, type_) = (field_ident(name), occurring(*occurs, rust_type(value)));
                let documentation = docs(documentation);
                own.push(quote!(#documentation pub #field: #type_,));
                flat.push(element_field(particle));
                own_read.push(read_element(particle));
                write.push(quote!(#field: self.#field.clone(),));
            }
            Particle::Sequence { name, .. } => panic!("group {name}: a sequence outside a choice is not supported"),
            Particle::Choice { name, alternatives } => {
                let (field, type_) = (field_ident(name), type_ident(name));
                let elements = elements_of_choice(alternatives);
                let names: Vec<Ident> = elements.iter().map(|(name, _)| field_ident(name)).collect();
                let documentation = format!(" See [`{type_}`].");
                own.push(quote!(#[doc = #documentation] pub #field: #type_,));
                flat.extend(elements.iter().map(|(name, type_)| {
                    let field = field_ident(name);
                    quote!(#[yaserde(prefix = "v1", rename = #name)] pub #field: Option<#type_>,)
                }));
                let of = elements.iter().map(|(name, _)| name);
                own_read.push(quote! {
                    #field: element.chosen(#name, #type_::of(#( element.optional(#of)? ),*))?,
                });
                parts.push(quote!(let (#( #names, )*) = self.#field.parts();));
                write.extend(names.iter().map(|name| quote!(#name,)));
                choices.push(choice(name, alternatives, &elements));
            }
        }
    }

    let read = read(&ident, &quote!(#( #own_read )*));
    quote! {
        #documentation
        #[derive(Clone, PartialEq)]
        pub struct #ident { #attributes #( #own )* }

        #read

        #[doc = #fields_documentation]
        #yaserde
        struct #fields_ident { #( #attribute_fields )* #( #flat )* }

        impl #ident {
            fn fields(&self) -> #fields_ident {
                #( #parts )*
                #fields_ident { #( #attribute_names: self.#attribute_names.clone(), )* #( #write )* }
            }
        }

        impl YaSerialize for #ident {
            fn serialize<W: ::std::io::Write>(
                &self,
                writer: &mut ::yaserde::ser::Serializer<W>,
            ) -> Result<(), ::yaserde::Error> {
                self.fields().serialize(writer)
            }

            fn serialize_attributes(
                &self,
                attributes: Vec<::xml::attribute::OwnedAttribute>,
                namespace: ::xml::namespace::Namespace,
            ) -> Result<(Vec<::xml::attribute::OwnedAttribute>, ::xml::namespace::Namespace), ::yaserde::Error> {
                self.fields().serialize_attributes(attributes, namespace)
            }
        }

        #( #choices )*
    }
}

/// One field of a struct that yaserde writes.
fn element_field(particle: &Particle<'_>) -> TokenStream {
    let Particle::Element { name, occurs, value, docs: documentation } = particle else {
        panic!("a group is not a field");
    };
    let field = field_ident(name);
    let documentation = docs(documentation);
    let type_ = occurring(*occurs, rust_type(value));
    quote!(#documentation #[yaserde(prefix = "v1", rename = #name)] pub #field: #type_,)
}

fn occurring(occurs: Occurs, type_: TokenStream) -> TokenStream {
    match occurs {
        Occurs::Once => type_,
        Occurs::Optional => quote!(Option<#type_>),
        Occurs::Between(..) => quote!(Vec<#type_>),
    }
}

/// Every element that may stand in a choice, once, with its type.
fn elements_of_choice(alternatives: &[Particle<'_>]) -> Vec<(String, TokenStream)> {
    let mut elements: Vec<(String, TokenStream)> = Vec::new();
    for (name, type_, _) in alternatives.iter().flat_map(elements_of) {
        if elements.iter().all(|(known, _)| known != name) {
            elements.push((name.to_owned(), type_));
        }
    }
    elements
}

/// The enum of a choice, made of its elements and taken apart into them; and a struct for each sequence in it.
fn choice(name: &str, alternatives: &[Particle<'_>], elements: &[(String, TokenStream)]) -> TokenStream {
    let ident = type_ident(name);
    let documentation = format!(" One alternative of the group `{name}`.");
    let all: Vec<Ident> = elements.iter().map(|(name, _)| field_ident(name)).collect();
    let types: Vec<&TokenStream> = elements.iter().map(|(_, type_)| type_).collect();

    let mut variants = Vec::new();
    let mut of = Vec::new();
    let mut parts = Vec::new();
    let mut structs = Vec::new();
    for particle in alternatives {
        let own = elements_of(particle);
        let own_names: Vec<Ident> = own.iter().map(|(name, _, _)| field_ident(name)).collect();
        let patterns = all.iter().map(|field| match own.iter().find(|(name, ..)| field_ident(name) == *field) {
            None => quote!(None),
            Some((_, _, Occurs::Once)) => quote!(Some(#field)),
            Some(_) => quote!(#field),
        });
        let values = all.iter().map(|field| match own.iter().find(|(name, ..)| field_ident(name) == *field) {
            None => quote!(None),
            Some((_, _, Occurs::Once)) => quote!(Some(#field.clone())),
            Some(_) => quote!(#field.clone()),
        });
        match particle {
            Particle::Element { name, value, .. } => {
                let (variant, type_) = (type_ident(name), rust_type(value));
                let documentation = format!(" The element `{name}`.");
                variants.push(quote!(#[doc = #documentation] #variant(#type_),));
                of.push(quote!((#( #patterns, )*) => Some(Self::#variant(#( #own_names )*)),));
                parts.push(quote!(Self::#variant(#( #own_names )*) => (#( #values, )*),));
            }
            Particle::Sequence { name, particles } => {
                let variant = type_ident(name);
                let documentation = format!(" The elements of the group `{name}`.");
                let fields = particles.iter().map(|particle| {
                    let Particle::Element { name, occurs, value, docs: documentation } = particle else {
                        panic!("group {name}: a group in a group in a choice is not supported");
                    };
                    let (field, type_) = (field_ident(name), occurring(*occurs, rust_type(value)));
                    let documentation = docs(documentation);
                    quote!(#documentation pub #field: #type_,)
                });
                structs.push(quote! {
                    #[doc = #documentation]
                    #[derive(Clone, PartialEq)]
                    pub struct #variant { #( #fields )* }
                });
                variants.push(quote!(#[doc = #documentation] #variant(#variant),));
                of.push(quote!((#( #patterns, )*) => Some(Self::#variant(#variant { #( #own_names ),* })),));
                parts.push(quote!(Self::#variant(#variant { #( #own_names ),* }) => (#( #values, )*),));
            }
            Particle::Choice { name, .. } => panic!("group {name}: a choice in a choice is not supported"),
        }
    }

    quote! {
        #[doc = #documentation]
        #[derive(Clone, PartialEq)]
        pub enum #ident { #( #variants )* }

        impl #ident {
            /// The alternative that these elements are, if they are exactly one.
            fn of(#( #all: Option<#types> ),*) -> Option<Self> {
                match (#( #all, )*) {
                    #( #of )*
                    _ => None,
                }
            }

            /// The elements that this alternative is.
            fn parts(&self) -> (#( Option<#types>, )*) {
                match self { #( #parts )* }
            }
        }

        #( #structs )*
    }
}

/// The elements that an alternative of a choice may put there.
fn elements_of<'a>(particle: &'a Particle<'a>) -> Vec<(&'a str, TokenStream, Occurs)> {
    match particle {
        Particle::Element { name, value, .. } => vec![(name, rust_type(value), Occurs::Once)],
        Particle::Sequence { particles, .. } | Particle::Choice { alternatives: particles, .. } => {
            let elements = particles.iter().filter_map(|particle| match particle {
                Particle::Element { name, value, occurs, .. } => Some((*name, rust_type(value), *occurs)),
                _ => None,
            });
            elements.collect()
        }
    }
}

fn enumeration(name: &str, enumeration: &EnumerationMeta, documentation: &[String]) -> TokenStream {
    let ident = type_ident(name);
    let documentation = docs(documentation);
    let words = model::words(enumeration);
    let names: Vec<Ident> = words.iter().map(|(word, _)| type_ident(word)).collect();
    let texts: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let variants = words.iter().zip(&names).map(|((_, documentation), name)| {
        let documentation = docs(documentation);
        quote!(#documentation #name,)
    });
    quote! {
        #documentation
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum #ident { #( #variants )* }

        impl #ident {
            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { #( Self::#names => #texts, )* }
            }
        }

        impl ::std::str::FromStr for #ident {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                match word {
                    #( #texts => Ok(Self::#names), )*
                    _ => Err(()),
                }
            }
        }

        impl Read for #ident {
            fn read(element: &Understood<'_>) -> Result<Self, XmlError> {
                element.value()
            }
        }

        impl YaSerialize for #ident {
            fn serialize<W: ::std::io::Write>(
                &self,
                writer: &mut ::yaserde::ser::Serializer<W>,
            ) -> Result<(), ::yaserde::Error> {
                ::yaserde::primitives::serialize_primitives(self, #name, writer, |word| word.as_str().to_owned())
            }

            fn serialize_attributes(
                &self,
                attributes: Vec<::xml::attribute::OwnedAttribute>,
                namespace: ::xml::namespace::Namespace,
            ) -> Result<(Vec<::xml::attribute::OwnedAttribute>, ::xml::namespace::Namespace), ::yaserde::Error> {
                Ok((attributes, namespace))
            }
        }
    }
}
