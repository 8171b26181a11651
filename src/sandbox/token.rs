//! Random tokens: of redirect URLs, forms and cookies.

/// 128 random bits in hex.
pub(super) fn random_token() -> String {
    let mut random = [0; 16];
    // Without random numbers there was no TLS connection either; a repeated token would be refused as used.
    let _ = aws_lc_rs::rand::fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}
