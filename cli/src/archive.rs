//! `signering archive`.

use std::path::PathBuf;

use clap::Args;
use posten_signering::OrganizationNumber;
use serde_json::json;

use super::connection::Connection;
use super::failure::Failure;
use super::output::{Output, plain};

#[derive(Args)]
pub struct Archive {
    /// The organization number of the document's owner
    owner: OrganizationNumber,
    /// The ID of the document
    document: String,
    /// The file to write. An existing file is replaced
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

impl Archive {
    pub async fn run(self, output: &Output) -> Result<(), Failure> {
        let client = self.connection.client(output)?;
        let bytes = client.archive().pades(&self.owner, &self.document).save_to(&self.output).await?;
        let file = self.output.display().to_string();
        output.result(&format!("saved {} ({bytes} bytes)", plain(&file)), &json!({ "file": file, "bytes": bytes }))
    }
}
