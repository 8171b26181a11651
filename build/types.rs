//! Generates the wire types: a struct for each complex type, an enum for each enumeration and each choice.
//!
//! Every type reads itself from a checked element (`src/xml/checked.rs`), and yaserde writes it. yaserde's `flatten`
//! silently drops what it cannot write. So a struct that contains a choice is written as another struct of `Option`s,
//! and the enums do not derive.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use xsd_parser::models::meta::{ComplexMeta, EnumerationMeta, MetaTypeVariant, MetaTypes};
use xsd_parser::pipeline::renderer::{Context, RenderStep, RenderStepType};

use super::choices::with_choices;
use super::model::{self, ContentModel, NAMESPACE, Occurs, Particle, Value};

/// Generates the wire types.
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

pub fn type_ident(name: &str) -> Ident {
    match pascal(name).as_str() {
        "Self" => Ident::new("Self_", Span::call_site()),
        name => Ident::new(name, Span::call_site()),
    }
}

/// `exit-urls` and `ExitUrls` become `exit_urls`.
pub fn field_ident(name: &str) -> Ident {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    Ident::new(&snake, Span::call_site())
}

pub fn docs(docs: &[String]) -> TokenStream {
    let lines = docs.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.map(|line| format!(" {line}"));
    quote!(#( #[doc = #lines] )*)
}

pub fn rust_type(value: &Value<'_>) -> TokenStream {
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

/// The attributes with which yaserde writes a struct in the API's namespace, under an XML name.
pub fn yaserde(name: &str) -> TokenStream {
    quote! {
        #[derive(YaSerialize)]
        #[yaserde(rename = #name, prefix = "v1", default_namespace = "v1", namespaces = { "v1" = #NAMESPACE })]
    }
}

fn structure(types: &MetaTypes, name: &str, complex: &ComplexMeta, documentation: &[String]) -> TokenStream {
    let ident = type_ident(name);
    let documentation = docs(documentation);
    let yaserde = yaserde(name);
    let attributes = Attributes::of(&model::attributes(types, name, complex));
    let Attributes { written, read: read_attributes, .. } = &attributes;
    let particles = match model::content(types, name, complex) {
        ContentModel::Empty => vec![],
        ContentModel::Text(value) => {
            let type_ = rust_type(&value);
            let read = read(&ident, &quote!(#read_attributes text: element.value()?,));
            return quote! {
                #documentation
                #[derive(Clone, PartialEq)]
                #yaserde
                pub struct #ident {
                    #written
                    /// The text in the element.
                    #[yaserde(text = true)]
                    pub text: #type_,
                }

                #read
            };
        }
        ContentModel::Particles(particles) => particles,
    };
    if particles.iter().all(|particle| matches!(particle, Particle::Element { .. })) {
        let fields = particles.iter().map(element_field);
        let elements = particles.iter().map(read_element);
        let read = read(&ident, &quote!(#read_attributes #( #elements )*));
        return quote! {
            #documentation
            #[derive(Clone, PartialEq)]
            #yaserde
            pub struct #ident { #written #( #fields )* }

            #read
        };
    }
    with_choices(name, &documentation, &attributes, &particles)
}

/// The fields for XML attributes.
pub struct Attributes {
    pub names: Vec<Ident>,
    /// The fields of a struct that yaserde writes.
    pub written: TokenStream,
    /// The fields of a struct without yaserde's attributes.
    pub own: TokenStream,
    /// The expressions that read them.
    pub read: TokenStream,
}

impl Attributes {
    fn of(attributes: &[model::Attribute<'_>]) -> Self {
        let mut all = Self { names: vec![], written: quote!(), own: quote!(), read: quote!() };
        for attribute in attributes {
            let (name, field) = (attribute.name, field_ident(attribute.name));
            let documentation = docs(attribute.docs);
            let type_ = rust_type(&attribute.value);
            let (type_, read) = match attribute.needed {
                true => (type_, quote!(attribute)),
                false => (quote!(Option<#type_>), quote!(optional_attribute)),
            };
            all.written.extend(quote!(#documentation #[yaserde(attribute = true, rename = #name)] pub #field: #type_,));
            all.own.extend(quote!(#documentation pub #field: #type_,));
            all.read.extend(quote!(#field: element.#read(#name)?,));
            all.names.push(field);
        }
        all
    }
}

/// Generates how a struct is read from an element.
pub fn read(ident: &Ident, fields: &TokenStream) -> TokenStream {
    let element = if fields.is_empty() { quote!(_) } else { quote!(element) };
    quote! {
        impl Read for #ident {
            fn read(#element: &CheckedElement<'_>) -> Result<Self, XmlError> {
                Ok(Self { #fields })
            }
        }
    }
}

/// Generates how a field is read from the children of an element.
pub fn read_element(particle: &Particle<'_>) -> TokenStream {
    let Particle::Element { name, occurs, .. } = particle else {
        panic!("a group is not a field");
    };
    let field = field_ident(name);
    let read = match occurs {
        Occurs::Once => quote!(one),
        Occurs::Expected | Occurs::Optional => quote!(optional),
        Occurs::Between(..) => quote!(many),
    };
    quote!(#field: element.#read(#name)?,)
}

/// Generates a field of a struct that yaserde writes.
pub fn element_field(particle: &Particle<'_>) -> TokenStream {
    let Particle::Element { name, occurs, value, docs: documentation } = particle else {
        panic!("a group is not a field");
    };
    let field = field_ident(name);
    let documentation = docs(documentation);
    let type_ = occurring(*occurs, rust_type(value));
    quote!(#documentation #[yaserde(prefix = "v1", rename = #name)] pub #field: #type_,)
}

pub fn occurring(occurs: Occurs, type_: TokenStream) -> TokenStream {
    match occurs {
        Occurs::Once => type_,
        Occurs::Expected | Occurs::Optional => quote!(Option<#type_>),
        Occurs::Between(..) => quote!(Vec<#type_>),
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
            /// The value in XML.
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
            fn read(element: &CheckedElement<'_>) -> Result<Self, XmlError> {
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
