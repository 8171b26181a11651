//! The certificate authorities of the service, as facts. This crate contains no certificates.
//!
//! Each entry has the subject, the SHA-256 of the public key (`SubjectPublicKeyInfo`, DER), the first and the last day
//! of the certificate, its SHA-256, and the address where the authority publishes it. The entries are those of the
//! trust lists that the official Java and .NET clients contain, without expired ones; the facts were computed from the
//! certificates in these lists, which are equal in four public sources (November 2026). The comment of each entry says
//! where its address comes from. Several addresses are plain HTTP: a downloaded file is compared with the fingerprint.
//!
//! The two Buypass G2 test roots exist in two versions, with the same key and different dates: the fingerprint here is
//! that of one of them, and only the key is compared.

use jiff::civil::date;

use super::authority::{Authority, Facts};

/// Production.
pub(super) const PRODUCTION: &[Authority] = &[
    // Issuing CA. Address: by the pattern of its root's.
    Authority::known(
        "CN=Buypass Class 3 CA G2 HT Business,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "c69f2e0e16527091b877b6a681525a539a3821c2ec474d5b8ebd779e86571646",
        Facts {
            valid: [date(2020, 11, 10), date(2040, 11, 10)],
            certificate_sha256: "0ef5cedce44265b112785b359a21141e20f553aada4c579404617b5ca6046be9",
            address: Some("http://crt.buypassca.com/BPCl3CaG2HTBS.cer"),
        },
    ),
    // Issuing CA. Address: in public instructions of its users.
    Authority::known(
        "CN=Buypass Class 3 CA G2 ST Business,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "d217878a979e1aaa2ef8144658a5740264a763f4c09ddebafae4234651e3bf08",
        Facts {
            valid: [date(2020, 11, 10), date(2040, 11, 10)],
            certificate_sha256: "45e05831cddac1f2b96dc8ca54620834c87649e9ffd3b26d7dad2ad07f807232",
            address: Some("http://crt.buypassca.com/BPCl3CaG2STBS.cer"),
        },
    ),
    // Root. Address: in the certificates that it issued.
    Authority::known(
        "CN=Buypass Class 3 Root CA G2 HT,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "b96a586ba7557010d5501fe2ecc045b9dbf99c1d5bf9ee9403855a277ad16f0a",
        Facts {
            valid: [date(2020, 11, 10), date(2045, 11, 10)],
            certificate_sha256: "ab936dfd7f171d3a3cbd08f9bebdc3f3baaabaa79df6a908f8a7b0128627f187",
            address: Some("http://crt.buypassca.com/BPCl3RootCaG2HT.cer"),
        },
    ),
    // Root. Address: in the certificates that it issued.
    Authority::known(
        "CN=Buypass Class 3 Root CA G2 ST,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "b5af36336e1b535fe61033568f4cc9e57dc5830f25fedbe62fe1ce7c34992567",
        Facts {
            valid: [date(2020, 11, 10), date(2045, 11, 10)],
            certificate_sha256: "f8c16c6b4fd45cb0672e16582b8805f1cafd0c48d866f4ed895b30e352a9faa6",
            address: Some("http://crt.buypassca.com/BPCl3RootCaG2ST.cer"),
        },
    ),
    // Issuing CA. Address: in public instructions of its users.
    Authority::known(
        "CN=Buypass Class 3 CA 3,O=Buypass AS-983163327,C=NO",
        "6f64eaae13b71ec4368474d0076de24270002f5dbb2e55aa7772ff220be04ed9",
        Facts {
            valid: [date(2012, 9, 25), date(2032, 9, 25)],
            certificate_sha256: "c49c350e5a8205e063e74c554a994335b8435c996527d4ef1a2b0c7b51584b2d",
            address: Some("http://crt.buypass.no/crt/BPClass3CA3.cer"),
        },
    ),
    // Root. Address: in Buypass' list of its roots.
    Authority::known(
        "CN=Buypass Class 3 Root CA,O=Buypass AS-983163327,C=NO",
        "b03d87b056d08cc9d4e675ef19ca83ab53532168a8258598be72e6d85c7dd7c1",
        Facts {
            valid: [date(2010, 10, 26), date(2040, 10, 26)],
            certificate_sha256: "edf7ebbca27a2a384d387b7d4010c666e2edb4843e4c29b4ae1d5b9332e6b24d",
            address: Some("https://crt.buypass.no/crt/BPClass3Rot.cer"),
        },
    ),
    // Issuing CA. Address: by the pattern of its root's.
    Authority::known(
        "CN=Commfides Legal Person - G3,organizationIdentifier=NTRNO-988312495,O=Commfides Norge AS,C=NO",
        "1d0e69cabfcfdd846de6cf6816d6bfea436ccac355acb69815b2559ffa411f28",
        Facts {
            valid: [date(2021, 8, 5), date(2041, 8, 14)],
            certificate_sha256: "318aa99dfbe3d5cf10bf1e3a5e8bd921d55c68a70901dadc2cb6ed77ac363501",
            address: Some("http://crt.commfides.com/G3/CommfidesLegalPersonCA-G3.crt"),
        },
    ),
    // Root. Address: in the certificates that it issued.
    Authority::known(
        "CN=Commfides Root CA - G3,organizationIdentifier=NTRNO-988312495,O=Commfides Norge AS,C=NO",
        "6f606fc5c283bfaceb9ca6cf5d6910eb8043e4d758f7a451604b3ed7d6daf3a5",
        Facts {
            valid: [date(2021, 8, 2), date(2051, 8, 9)],
            certificate_sha256: "5ad1a2b5dae0ce7daeb4d15e3676002da387ed852c1667b1a80543c474a41ec7",
            address: Some("http://crt.commfides.com/G3/CommfidesRootCA-G3.crt"),
        },
    ),
    // Root. Comes with the certificates that Digipost issues.
    Authority::known(
        "CN=Digipost Root CA,OU=Digipost,O=Posten Norge AS,ST=Oslo,C=NO",
        "7cc6c22a71bf482e623df3c1131d70ecb1d72c4eb0228e3deebefed5ee4a02aa",
        Facts {
            valid: [date(2017, 10, 6), date(2050, 1, 1)],
            certificate_sha256: "610db396c243c92501fe644416cf88d381952a5b3b5c137b3eb22cf33c9ae0ea",
            address: None,
        },
    ),
];

/// The test environments.
pub(super) const TEST: &[Authority] = &[
    // Issuing CA. Address: by the pattern of its root's.
    Authority::known(
        "CN=Buypass Class 3 Test4 CA G2 HT Business,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "f1a09aec0eb5742b26598f6667bce791e478b21782d38e3a845011ff4ba21bab",
        Facts {
            valid: [date(2020, 11, 4), date(2040, 11, 4)],
            certificate_sha256: "2c9e0ec146f148eda7c5dd05559ccd2261e0c0d66f638864fae21c7756de7210",
            address: Some("http://crt.test4.buypassca.com/BPCl3CaG2HTBS.cer"),
        },
    ),
    // Issuing CA. Address: by the pattern of its root's.
    Authority::known(
        "CN=Buypass Class 3 Test4 CA G2 ST Business,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "831a84d9465309ce075fb5359056dcb336bdf206422ebc9fd1925fb1f0fc6e80",
        Facts {
            valid: [date(2020, 11, 4), date(2040, 11, 4)],
            certificate_sha256: "2f36956beb4de4907a3a0fb09437d7d532f4a12504473a00c12ceb028df54a28",
            address: Some("http://crt.test4.buypassca.com/BPCl3CaG2STBS.cer"),
        },
    ),
    // Root. Address: in the certificates that it issued.
    Authority::known(
        "CN=Buypass Class 3 Test4 Root CA G2 HT,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "15c683809decb5bd54fcf41e491d0784f229b5b09b1353bce6e1330549fa3277",
        Facts {
            valid: [date(2020, 11, 5), date(2045, 11, 5)],
            certificate_sha256: "52a09cf14587d7a5be5f3dc64754125822faeea5d75d15fd961e63c6f63d3f70",
            address: Some("http://crt.test4.buypassca.com/BPCl3RootCaG2HT.cer"),
        },
    ),
    // Root. Address: in the certificates that it issued.
    Authority::known(
        "CN=Buypass Class 3 Test4 Root CA G2 ST,O=Buypass AS,organizationIdentifier=NTRNO-983163327,C=NO",
        "aee07614fe4a4ba418d38d69dd1956b0c961252e420c132d5daf2adf8a44696e",
        Facts {
            valid: [date(2020, 11, 5), date(2045, 11, 5)],
            certificate_sha256: "760637a0f7da3a3876f601f96b8cf2ceb4fef80b76bd6f052e7bcb0041da350d",
            address: Some("http://crt.test4.buypassca.com/BPCl3RootCaG2ST.cer"),
        },
    ),
    // Issuing CA. No address is known.
    Authority::known(
        "CN=Buypass Class 3 Test4 CA 3,O=Buypass AS-983163327,C=NO",
        "f4b32b4ca2cf4347be133e6a2bfc5ee4624da7dda5e3666cc5ae85e1df2723b9",
        Facts {
            valid: [date(2012, 2, 16), date(2032, 2, 16)],
            certificate_sha256: "b761abd7a4c478b33be382be511943c20e50950b3b2899875a692e1bef2bdc1b",
            address: None,
        },
    ),
    // Root. Address: in public instructions of its users.
    Authority::known(
        "CN=Buypass Class 3 Test4 Root CA,O=Buypass AS-983163327,C=NO",
        "a272864baeac579dc1c8c5e8aa7e64b66e854ed8474c4c0117ded4a6f635c199",
        Facts {
            valid: [date(2010, 10, 6), date(2040, 10, 6)],
            certificate_sha256: "2a8475824d9ba398170031b9b398222f857a59bdc5cc3b49005eafdb55955da4",
            address: Some("http://crt.test4.buypass.no/crt/BPClass3T4RotCA.cer"),
        },
    ),
    // Issuing CA. Address: in public tests of its users.
    Authority::known(
        "CN=Commfides Legal Person - G3 - TEST,organizationIdentifier=NTRNO-988312495,O=Commfides Norge AS,C=NO",
        "71880c4044cac35205ec02f1698c63a74fcbd5287d7d6120acbd238716b9f2b5",
        Facts {
            valid: [date(2021, 7, 1), date(2041, 7, 10)],
            certificate_sha256: "94bb0e8701b61794d5d0c3154204571096b23c78b33c87e7f942097030e526d9",
            address: Some("https://crt.test.commfides.com/G3/CommfidesLegalPersonCA-G3-TEST.crt"),
        },
    ),
    // Root. Address: in the certificates that it issued.
    Authority::known(
        "CN=Commfides Root CA - G3 - TEST,organizationIdentifier=NTRNO-988312495,O=Commfides Norge AS,C=NO",
        "a51595df1dedb000134e57c377d8c7c70d7c62380b3855c988e5efdf61860a35",
        Facts {
            valid: [date(2021, 7, 1), date(2051, 7, 8)],
            certificate_sha256: "97ea39029d946583d44539519a1f2cae4a40f9733d17dac18457246af5654325",
            address: Some("http://crt.test.commfides.com/G3/CommfidesRootCA-G3-TEST.crt"),
        },
    ),
    // Root. Comes with the certificates that Digipost issues.
    Authority::known(
        "CN=Digipost Test Root CA,OU=Digipost,O=Posten Norge AS,ST=Oslo,C=NO",
        "abd60c4279d271517fd9d44134887b2bfb7c787b11b1f91cc2164965efb27338",
        Facts {
            valid: [date(2017, 10, 10), date(2050, 1, 1)],
            certificate_sha256: "3fba0d228cbc8d7928433d7ab4628f0fd18663feff06a910addb241670879c12",
            address: None,
        },
    ),
];
