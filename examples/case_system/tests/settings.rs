//! The settings of a process.

use case_system::settings::Settings;

/// Settings with these variables, besides those that are required.
fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let required = [
        ("DATABASE_URL", "postgresql://case:hemmelig@localhost/cases"),
        ("ENVIRONMENT", "difitest"),
        ("CREDENTIALS", "credentials"),
        ("SENDER", "123456789"),
        ("PUBLIC_URL", "https://cases.example/"),
    ];
    let find = |name: &str| {
        let given = variables.iter().chain(&required).find(|(other, _)| *other == name);
        given.map(|(_, value)| (*value).to_owned())
    };
    Settings::read(find).map_err(|error| error.to_string())
}

#[test]
fn a_setting_that_is_missing_or_absurd_ends_the_process_at_its_start_with_its_name() {
    let settings = read(&[]).unwrap();
    assert!(!format!("{settings:?}").contains("hemmelig"), "the password is not shown");
    assert_eq!((settings.lease.as_secs(), settings.public_url.as_str()), (600, "https://cases.example"));
    for (name, value, error) in [
        ("SENDER", "", "SENDER is not set"),
        ("LEASE", "0", "LEASE: 0 is not between 30 and 86400"),
        ("LEASE", "18446744073709551615", "LEASE: 18446744073709551615 is not between 30 and 86400"),
        ("LEASE", "-1", "LEASE: invalid digit found in string"),
        ("DELETE_AFTER", "31536001", "DELETE_AFTER: 31536001 is not between 0 and 31536000"),
        ("RELOAD", "0", "RELOAD: 0 is not between 1 and 86400"),
        ("CONCURRENCY", "0", "CONCURRENCY: 0 is not between 1 and 64"),
        ("CONCURRENCY", "18446744073709551615", "CONCURRENCY: 18446744073709551615 is not between 1 and 64"),
        ("RATE", "0", "RATE: 0 is not between 0.1 and 1000"),
        ("RATE", "NaN", "RATE: NaN is not between 0.1 and 1000"),
        ("RATE", "inf", "RATE: inf is not between 0.1 and 1000"),
        ("SEALER", "000000000", "SEAL_ROOTS and SEALER belong together"),
    ] {
        assert_eq!(read(&[(name, value)]).unwrap_err(), error);
    }
    for (name, value) in [("LEASE", "86400"), ("DELETE_AFTER", "0"), ("RATE", "9.5"), ("CONCURRENCY", "64")] {
        read(&[(name, value)]).unwrap();
    }
}
