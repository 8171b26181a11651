//! Choices a sender may make. What is left out, the service decides.

use super::words::words;

words! {
    /// How binding a signature is. Without a choice, private senders get advanced and public senders authenticated ones.
    ///
    /// ```
    /// use posten_signering::SignatureType;
    /// use posten_signering::direct::Signer;
    ///
    /// let signer = Signer::national_id("01010012345".parse()?).signature_type(SignatureType::Advanced);
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    SignatureType, "signature-type" {
        /// Made with the signer's own electronic ID. The only kind for private senders.
        Advanced = "ADVANCED_ELECTRONIC_SIGNATURE",
        /// Made by a signer who has logged in. Public senders only.
        Authenticated = "AUTHENTICATED_ELECTRONIC_SIGNATURE",
    }
}

words! {
    /// The security level a signer must have logged in with. Private senders may only ask for [`Four`](Self::Four).
    ///
    /// ```
    /// use posten_signering::AuthenticationLevel;
    /// use posten_signering::direct::JobRequest;
    ///
    /// let request = JobRequest::builder().required_authentication(AuthenticationLevel::Four);
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    AuthenticationLevel, "required-authentication" {
        /// Level 3, substantial.
        Three = "3",
        /// Level 4, high.
        Four = "4",
    }
}

words! {
    /// How the signed documents name their signers.
    ///
    /// ```
    /// use posten_signering::IdentifierInSignedDocuments;
    /// use posten_signering::direct::JobRequest;
    ///
    /// let request =
    ///     JobRequest::builder().identifier_in_signed_documents(IdentifierInSignedDocuments::DateOfBirthAndName);
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    IdentifierInSignedDocuments, "identifier-in-signed-documents" {
        /// By personal identification number and name.
        PersonalIdentificationNumberAndName = "PERSONAL_IDENTIFICATION_NUMBER_AND_NAME",
        /// By date of birth and name.
        DateOfBirthAndName = "DATE_OF_BIRTH_AND_NAME",
        /// By name alone: public senders with authenticated signatures only.
        Name = "NAME",
    }
}

words! {
    /// For whom a signer signs.
    ///
    /// ```
    /// use posten_signering::OnBehalfOf;
    /// use posten_signering::direct::Signer;
    ///
    /// let signer = Signer::national_id("01010012345".parse()?).on_behalf_of(OnBehalfOf::Other);
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    OnBehalfOf, "on-behalf-of" {
        /// For themselves: the signed document is offered to their digital mailbox.
        Oneself = "SELF",
        /// For someone else, an organization for instance.
        Other = "OTHER",
    }
}

words! {
    /// The state of a job, in the API's word (`signature-job-status`).
    ///
    /// [`direct::JobStatus`](crate::direct::JobStatus) and [`portal::JobStatus`](crate::portal::JobStatus) say the same in
    /// types. Both [`Completed`](crate::direct::Completed) and [`DocumentsGone`](crate::direct::DocumentsGone) are
    /// `COMPLETED_SUCCESSFULLY`.
    ///
    /// ```
    /// use posten_signering::SignatureJobStatus;
    ///
    /// assert_eq!("FAILED".parse(), Ok(SignatureJobStatus::Failed));
    /// assert_eq!(SignatureJobStatus::InProgress.to_string(), "IN_PROGRESS");
    /// ```
    SignatureJobStatus, "signature-job-status" {
        /// Some signer has yet to act.
        InProgress = "IN_PROGRESS",
        /// All have signed.
        CompletedSuccessfully = "COMPLETED_SUCCESSFULLY",
        /// Some signer rejected, something failed, the job was cancelled or the time ran out.
        Failed = "FAILED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_written_and_read_and_nothing_else() {
        assert_eq!(OnBehalfOf::Oneself.to_string().parse(), Ok(OnBehalfOf::Oneself));
        assert_eq!("4".parse(), Ok(AuthenticationLevel::Four));
        let error = "DANCING".parse::<SignatureJobStatus>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "signature-job-status: must be one of IN_PROGRESS, COMPLETED_SUCCESSFULLY, FAILED"
        );
        let json = serde_json::to_string(&SignatureType::Advanced).unwrap();
        assert_eq!(json, "\"ADVANCED_ELECTRONIC_SIGNATURE\"");
        assert_eq!(serde_json::from_str::<SignatureType>(&json).unwrap(), SignatureType::Advanced);
        assert!(serde_json::from_str::<SignatureType>("\"ADVANCED\"").is_err());
    }
}
