//! Generates structs that contain choices, and the enums of the choices.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::model::{Occurs, Particle};
use super::types::{
    Attributes, docs, element_field, field_ident, occurring, read, read_element, rust_type, type_ident, yaserde,
};

/// Generates a struct that contains choices. yaserde writes another struct, in which every element of every alternative
/// is an `Option`. The enum of the choice determines which elements are set.
pub fn with_choices(
    name: &str,
    documentation: &TokenStream,
    attributes: &Attributes,
    particles: &[Particle<'_>],
) -> TokenStream {
    let ident = type_ident(name);
    let fields_ident = format_ident!("{ident}Fields");
    let yaserde = yaserde(name);
    let fields_documentation = format!(" The struct that yaserde writes for [`{ident}`].");
    let Attributes { names: attribute_names, written, own: own_attributes, read: read_attributes } = attributes;

    let mut own = Vec::new();
    let mut flat = Vec::new();
    let mut own_read = vec![read_attributes.clone()];
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
            Particle::Choice { name, needed, alternatives } => {
                let (field, type_) = (field_ident(name), type_ident(name));
                let elements = elements_of_choice(alternatives);
                let names: Vec<Ident> = elements.iter().map(|(name, _)| field_ident(name)).collect();
                let documentation = format!(" See [`{type_}`].");
                let own_type = if *needed { quote!(#type_) } else { quote!(Option<#type_>) };
                own.push(quote!(#[doc = #documentation] pub #field: #own_type,));
                flat.extend(elements.iter().map(|(name, type_)| {
                    let field = field_ident(name);
                    quote!(#[yaserde(prefix = "v1", rename = #name)] pub #field: Option<#type_>,)
                }));
                let of = elements.iter().map(|(name, _)| name);
                let chosen = quote!(#type_::of(#( element.optional(#of)? ),*));
                let none = elements.iter().map(|_| quote!(None));
                let (chosen, own_parts) = match needed {
                    true => (quote!(element.chosen(#name, #chosen)?), quote!(self.#field.parts())),
                    false => (chosen, quote!(self.#field.as_ref().map_or((#( #none, )*), #type_::parts))),
                };
                own_read.push(quote!(#field: #chosen,));
                parts.push(quote!(let (#( #names, )*) = #own_parts;));
                write.extend(names.iter().map(|name| quote!(#name,)));
                choices.push(choice(name, alternatives, &elements));
            }
        }
    }

    let read = read(&ident, &quote!(#( #own_read )*));
    quote! {
        #documentation
        #[derive(Clone, PartialEq)]
        pub struct #ident { #own_attributes #( #own )* }

        #read

        #[doc = #fields_documentation]
        #yaserde
        struct #fields_ident { #written #( #flat )* }

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

/// The distinct elements of a choice, with their types.
fn elements_of_choice(alternatives: &[Particle<'_>]) -> Vec<(String, TokenStream)> {
    let mut elements: Vec<(String, TokenStream)> = Vec::new();
    for (name, type_, _) in alternatives.iter().flat_map(elements_of) {
        if elements.iter().all(|(known, _)| known != name) {
            elements.push((name.to_owned(), type_));
        }
    }
    elements
}

/// Generates the enum of a choice, with conversions from and to its elements, and a struct for each sequence in it.
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
            /// The alternative that these elements form, if it is exactly one.
            fn of(#( #all: Option<#types> ),*) -> Option<Self> {
                match (#( #all, )*) {
                    #( #of )*
                    _ => None,
                }
            }

            /// The elements of this alternative.
            fn parts(&self) -> (#( Option<#types>, )*) {
                match self { #( #parts )* }
            }
        }

        #( #structs )*
    }
}

/// The elements of an alternative of a choice.
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
