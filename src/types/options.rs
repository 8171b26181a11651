//! Optional settings of a job. The service's defaults apply to those that are not set.

use super::words::words;

words! {
    /// The type of a signature. Defaults to advanced for private senders, and to authenticated for public senders.
    ///
    /// ```
    /// use posten_signering::SignatureType;
    /// use posten_signering::direct::Signer;
    ///
    /// let signer = Signer::national_id("01010012345".parse()?).signature_type(SignatureType::Advanced);
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    SignatureType, "signature-type" {
        /// An advanced electronic signature, made with the signer's electronic ID. The only type for private senders.
        Advanced = "ADVANCED_ELECTRONIC_SIGNATURE",
        /// An authenticated electronic signature, made by a signer who has logged in. Public senders only.
        Authenticated = "AUTHENTICATED_ELECTRONIC_SIGNATURE",
    }
}

words! {
    /// The minimum security level at which signers must log in. Private senders may only require [`Four`](Self::Four).
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
    /// The identifier of signers in the signed documents.
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
        /// Personal identification number and name.
        PersonalIdentificationNumberAndName = "PERSONAL_IDENTIFICATION_NUMBER_AND_NAME",
        /// Date of birth and name.
        DateOfBirthAndName = "DATE_OF_BIRTH_AND_NAME",
        /// Name only. Public senders with authenticated signatures only.
        Name = "NAME",
    }
}

words! {
    /// On whose behalf a signer signs.
    ///
    /// ```
    /// use posten_signering::OnBehalfOf;
    /// use posten_signering::direct::Signer;
    ///
    /// let signer = Signer::national_id("01010012345".parse()?).on_behalf_of(OnBehalfOf::Other);
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    OnBehalfOf, "on-behalf-of" {
        /// On their own behalf. The signed document is offered to their digital mailbox.
        Oneself = "SELF",
        /// On behalf of someone else, such as an organization.
        Other = "OTHER",
    }
}

words! {
    /// The state of a job as the API names it (`signature-job-status`).
    ///
    /// The variants of [`direct::JobStatus`](crate::direct::JobStatus) and
    /// [`portal::JobStatus`](crate::portal::JobStatus) correspond to it: both [`Completed`](crate::direct::Completed)
    /// and [`DocumentsGone`](crate::direct::DocumentsGone) are `COMPLETED_SUCCESSFULLY`.
    ///
    /// ```
    /// use posten_signering::SignatureJobStatus;
    ///
    /// assert_eq!("FAILED".parse(), Ok(SignatureJobStatus::Failed));
    /// assert_eq!(SignatureJobStatus::InProgress.to_string(), "IN_PROGRESS");
    /// ```
    SignatureJobStatus, "signature-job-status" {
        /// At least one signer has not acted yet.
        InProgress = "IN_PROGRESS",
        /// All signers have signed.
        CompletedSuccessfully = "COMPLETED_SUCCESSFULLY",
        /// A signer rejected, something failed, the job was cancelled, or it expired.
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
