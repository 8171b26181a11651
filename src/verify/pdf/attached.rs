//! Attached files, and the values that long-term validation adds.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use crate::error::VerificationError::{self, TooComplex};
use crate::pdf::{Dictionary, MAX_DEPTH, Object, View};
use crate::verify::revocation::RevocationValues;

/// The maximum number of nodes of the name tree, and of files.
const MAX_NODES: usize = 10_000;

/// The maximum number of certificates, CRLs and OCSP responses.
const MAX_VALUES: usize = 1_000;

/// An attached file.
pub(in crate::verify) struct Attached {
    dictionary: Dictionary,
    start: usize,
}

/// The document security store (ISO 32000-2, section 12.8.4.3): certificates and revocation values.
#[derive(Default)]
pub(in crate::verify) struct SecurityStore {
    pub(in crate::verify) certificates: Vec<Rc<[u8]>>,
    pub(in crate::verify) values: RevocationValues,
}

impl<'b> View<'_, 'b> {
    /// The attached files, without their content: those in the tree of names (ISO 32000-1, 7.7.4 and 7.9.6), and the
    /// associated files of the document.
    pub(in crate::verify) fn attached(&self) -> Result<Vec<Attached>, VerificationError> {
        let catalog = self.catalog()?;
        let mut found = Vec::new();
        let (mut seen, mut looked_at) = (HashSet::new(), 0);
        let mut waiting = Vec::new();
        let names = self.dictionary(&catalog, b"Names")?;
        waiting.extend(names.and_then(|names| names.get(b"EmbeddedFiles").cloned()).map(|root| (root, 0)));
        let mut specifications = self.array(&catalog, b"AF")?;
        while let Some((node, depth)) = waiting.pop() {
            looked_at += 1;
            if depth > MAX_DEPTH || looked_at > MAX_NODES || specifications.len() > MAX_NODES {
                return Err(TooComplex("it has too many attached files"));
            }
            if node.reference().is_some_and(|id| !seen.insert(id)) {
                continue;
            }
            let Object::Dictionary(node) = self.follow(&node)? else { continue };
            waiting.extend(self.array(&node, b"Kids")?.into_iter().map(|kid| (kid, depth + 1)));
            let names = self.array(&node, b"Names")?;
            specifications.extend(names.as_chunks::<2>().0.iter().map(|[_, value]| value.clone()));
        }
        // A file is in the tree and associated at once: it counts once.
        let mut known = HashSet::new();
        for specification in specifications {
            let Object::Dictionary(specification) = self.follow(&specification)? else { continue };
            let Some(versions) = self.dictionary(&specification, b"EF")? else { continue };
            let Some(file) = [b"UF".as_slice(), b"F"].iter().find_map(|key| versions.get(key)) else { continue };
            if let Object::Stream(dictionary, start) = self.follow(file)?
                && known.insert(start)
            {
                found.push(Attached { dictionary, start });
            }
        }
        Ok(found)
    }

    pub(in crate::verify) fn attachment(&self, file: &Attached) -> Result<Cow<'b, [u8]>, VerificationError> {
        self.stream(&file.dictionary, file.start)
    }

    pub(in crate::verify) fn security_store(&self) -> Result<SecurityStore, VerificationError> {
        let Some(store) = self.dictionary(&self.catalog()?, b"DSS")? else { return Ok(SecurityStore::default()) };
        let mut left = MAX_VALUES;
        let mut values = |key: &[u8]| {
            let mut values = Vec::new();
            for item in self.array(&store, key)? {
                left = left.checked_sub(1).ok_or(TooComplex("it has too many revocation values"))?;
                if let Object::Stream(dictionary, start) = self.follow(&item)? {
                    let value = self.stream(&dictionary, start)?;
                    self.budget().held(value.len())?;
                    values.push(Rc::from(value));
                }
            }
            Ok(values)
        };
        let certificates = values(b"Certs")?;
        Ok(SecurityStore {
            certificates,
            values: RevocationValues { lists: values(b"CRLs")?, responses: values(b"OCSPs")? },
        })
    }
}
