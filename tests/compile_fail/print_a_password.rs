//! A password is not shown.

use secrecy::SecretString;

fn wrong(password: SecretString) {
    println!("{password}");
}

fn main() {}
