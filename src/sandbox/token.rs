//! Random tokens for redirect URLs, forms and cookies.

/// Returns 128 random bits in hexadecimal.
pub(super) fn random_token() -> String {
    let mut random = [0; 16];
    // If the random number generator failed, TLS would fail too. A repeated token would be refused as used.
    let _ = aws_lc_rs::rand::fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}
