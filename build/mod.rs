//! The generator of `build.rs`: from XSD to Rust.
//!
//! `xsd-parser` reads and resolves the schemas. Two render steps generate the code for `src/xml`:
//!
//! * [`types`]: structs and enums that yaserde writes and that read themselves, documented from `xs:documentation`;
//! * [`tables`]: the schemas as `static` data, against which every document is checked first.
//!
//! [`check`] checks the schema files first, for errors that name file and element. [`answers`] lists the parts that may
//! be missing in an answer.

mod answers;
pub mod check;
mod choices;
mod model;
mod tables;
mod types;

use std::path::Path;

use xsd_parser::config::{GeneratorConfig, InterpreterConfig, ParserConfig, Schema};
use xsd_parser::pipeline::renderer::Renderer;
use xsd_parser::{exec_generator, exec_interpreter, exec_parser};

use self::tables::TablesStep;
use self::types::TypesStep;

/// Generates the Rust code for the schemas `roots` in `directory` and their includes.
pub fn generate(directory: &Path, roots: &[&str]) -> Result<String, String> {
    for root in roots {
        check::schema(&directory.join(root))?;
    }

    let parser = ParserConfig {
        schemas: roots.iter().map(|root| Schema::File(directory.join(root))).collect(),
        ..ParserConfig::default()
    };
    let failed = |error: xsd_parser::Error| format!("{}: {error}", directory.display());
    let schemas = exec_parser(parser).map_err(failed)?;
    // No optimizer: flattening would turn every sequence that contains a choice into a list of variants.
    let meta = exec_interpreter(InterpreterConfig::default(), &schemas).map_err(failed)?;
    let problems = model::problems(&meta);
    if !problems.is_empty() {
        return Err(format!("{}: {}", directory.display(), problems.join("; ")));
    }
    let data = exec_generator(GeneratorConfig::default(), &schemas, &meta).map_err(failed)?;
    let module = Renderer::new(&data).with_step(TypesStep).with_step(TablesStep::default()).finish();

    let code = quote::ToTokens::to_token_stream(&module);
    let file = syn::parse2(code).map_err(|error| format!("the generated code is not Rust: {error}"))?;
    Ok(prettyplease::unparse(&file))
}
