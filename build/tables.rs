//! Generates the schemas as `static` data, for `src/xml/check.rs`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use xsd_parser::models::code::Module;
use xsd_parser::models::meta::{Constrains, MetaTypeVariant, MetaTypes};
use xsd_parser::pipeline::renderer::{Context, MetaData, RenderStep, RenderStepType};

use super::model::{self, ContentModel, Occurs, Particle, Value};
use super::types::pascal;

/// Generates one table per complex type, and the root elements of the types.
#[derive(Debug, Default)]
pub struct TablesStep {
    tables: Vec<TokenStream>,
    roots: Vec<TokenStream>,
}

impl RenderStep for TablesStep {
    fn render_step_type(&self) -> RenderStepType {
        RenderStepType::ExtraImpls
    }

    fn render_type(&mut self, ctx: &mut Context<'_, '_>) {
        let types = ctx.meta.types.meta.types;
        if !model::is_ours(types, ctx.ident) {
            return;
        }
        let name = ctx.ident.name.as_str();
        match &ctx.data.meta.variant {
            MetaTypeVariant::ComplexType(complex) => {
                let ident = table_ident(name);
                let attributes = model::attributes(types, name, complex);
                let attributes = attributes.iter().map(|attribute| {
                    let (name, required, needed) = (attribute.name, attribute.required, attribute.needed);
                    let value = simple(types, &attribute.value);
                    quote!(Attribute { name: #name, required: #required, needed: #needed, value: #value })
                });
                let content = match model::content(types, name, complex) {
                    ContentModel::Empty => quote!(ContentModel::Elements(&[])),
                    ContentModel::Text(value) => {
                        let value = simple(types, &value);
                        quote!(ContentModel::Text(#value))
                    }
                    ContentModel::Particles(particles) => {
                        let particles = particles.iter().map(|particle| table(types, particle));
                        quote!(ContentModel::Elements(&[#( #particles ),*]))
                    }
                };
                self.tables.push(quote! {
                    static #ident: Complex = Complex { attributes: &[#( #attributes ),*], content: #content };
                });
            }
            MetaTypeVariant::Reference(reference) if model::is_ours(types, &reference.type_) => {
                let table = table_ident(reference.type_.name.as_str());
                let type_ = Ident::new(&pascal(reference.type_.name.as_str()), Span::call_site());
                self.roots.push(quote! {
                    impl Document for #type_ {
                        const ROOT: Root = Root { name: #name, type_: &#table };
                    }
                });
            }
            _ => {}
        }
    }

    fn finish(&mut self, _meta: &MetaData<'_>, module: &mut Module) {
        let (tables, roots) = (&self.tables, &self.roots);
        module.append(quote!(#( #roots )* #( #tables )*));
    }
}

fn table_ident(name: &str) -> Ident {
    format_ident!("{}", name.replace('-', "_").to_ascii_uppercase())
}

fn table(types: &MetaTypes, particle: &Particle<'_>) -> TokenStream {
    match particle {
        Particle::Element { name, occurs, value, .. } => {
            let (min, max, needed) = match occurs {
                Occurs::Once => (1, 1, true),
                Occurs::Expected => (1, 1, false),
                Occurs::Optional => (0, 1, false),
                Occurs::Between(min, max) => (*min, *max, false),
            };
            let value = match value {
                Value::Complex(ident) => {
                    let ident = table_ident(ident.name.as_str());
                    quote!(Value::Complex(&#ident))
                }
                value => {
                    let value = simple(types, value);
                    quote!(Value::Simple(#value))
                }
            };
            quote!(Particle::Element { name: #name, min: #min, max: #max, needed: #needed, value: #value })
        }
        Particle::Sequence { particles, .. } => {
            let particles = particles.iter().map(|particle| table(types, particle));
            quote!(Particle::Sequence(&[#( #particles ),*]))
        }
        Particle::Choice { needed, alternatives, .. } => {
            let alternatives = alternatives.iter().map(|particle| table(types, particle));
            quote!(Particle::Choice { needed: #needed, alternatives: &[#( #alternatives ),*] })
        }
    }
}

fn simple(types: &MetaTypes, value: &Value<'_>) -> TokenStream {
    match value {
        Value::Text(constrains) => {
            let (min, max) = lengths(*constrains);
            let digits = constrains.and_then(|c| c.patterns.first()).and_then(|p| model::digits(p));
            match digits {
                Some(digits) => quote!(Simple::Digits(#digits)),
                None => quote!(Simple::Text { min: #min, max: #max }),
            }
        }
        Value::DateTime => quote!(Simple::DateTime),
        Value::Integer(rust, constrains) => {
            let (least, most) = model::range(*constrains);
            let (type_least, type_most) = match *rust {
                "i32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
                _ => (i64::MIN, i64::MAX),
            };
            let (least, most) = (least.unwrap_or(type_least), most.unwrap_or(type_most));
            quote!(Simple::Integer { min: #least, max: #most })
        }
        Value::Enumeration(ident) => {
            let MetaTypeVariant::Enumeration(enumeration) = &types.items[*ident].variant else {
                panic!("{ident} was an enumeration");
            };
            let words = model::words(enumeration);
            let words = words.iter().map(|(word, _)| *word);
            quote!(Simple::Words(&[#( #words ),*]))
        }
        Value::Complex(ident) => panic!("{ident} is not a simple type"),
    }
}

fn lengths(constrains: Option<&Constrains>) -> (usize, usize) {
    let min = constrains.and_then(|c| c.min_length).unwrap_or(0);
    let max = constrains.and_then(|c| c.max_length).unwrap_or(usize::MAX);
    (min, max)
}
