//! `multipart/mixed`: the request document and the document package, in this order.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::error::Error;

/// A body and its content type.
pub(super) struct Multipart {
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl Multipart {
    pub(super) fn new(request: &str, package: &[u8]) -> Result<Self, Error> {
        // 128 random bits: nobody can put the boundary into a document beforehand.
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| Error::Configuration("the system has no random numbers".to_owned()))?;
        let mut boundary = String::from("posten-signering-");
        for byte in random {
            let _ = write!(boundary, "{byte:02x}");
        }
        let mut body = Vec::with_capacity(request.len() + package.len() + 512);
        for (content_type, content) in [("application/xml", request.as_bytes()), ("application/octet-stream", package)]
        {
            let head = format!("--{boundary}\r\nContent-Type: {content_type}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Ok(Self { content_type: format!("multipart/mixed; boundary={boundary}"), body: body.into() })
    }
}
