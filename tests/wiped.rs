//! Keys and passwords that are wiped before their memory is given back. The only test of its program: it watches the
//! allocator of the whole process.
//!
//! What it cannot see: memory that aws-lc allocates in C, the stack, and registers.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use posten_signering::Identity;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use secrecy::SecretString;

use self::support::archive::{Bag, archive};
use self::support::tempfile;

/// Looks at every block of memory that is given back.
struct Watch;

#[global_allocator]
static WATCH: Watch = Watch;

static IS_WATCHING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// The sizes of the blocks in which a secret was found, and which of them: for the message.
static WHERE: Mutex<[(usize, usize); 32]> = Mutex::new([(0, 0); 32]);
static SECRETS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Watch {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // So that nothing old is found in what was never written.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IS_WATCHING.load(Ordering::Relaxed) {
            look(unsafe { std::slice::from_raw_parts(block, layout.size()) });
        }
        unsafe { System.dealloc(block, layout) }
    }

    // Growing is the default: another block, a copy, and the old one given back as it is.
}

fn look(block: &[u8]) {
    for (which, secret) in SECRETS.get().into_iter().flatten().enumerate() {
        if block.windows(secret.len()).any(|window| window == secret) {
            let at = FOUND.fetch_add(1, Ordering::Relaxed);
            if let (Ok(mut places), true) = (WHERE.lock(), at < 32) {
                places[at] = (block.len(), which);
            }
        }
    }
}

/// In which blocks that this gives back the secrets were still found.
fn left_behind<T>(work: impl FnOnce() -> T) -> (T, Vec<(usize, usize)>) {
    FOUND.store(0, Ordering::Relaxed);
    IS_WATCHING.store(true, Ordering::Relaxed);
    let made = work();
    IS_WATCHING.store(false, Ordering::Relaxed);
    let found = FOUND.load(Ordering::Relaxed).min(32);
    (made, WHERE.lock().unwrap()[..found].to_vec())
}

const ARCHIVES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/archives");
const PASSWORD: &str = "hemmelig passord æøå";

#[test]
fn nothing_of_a_key_or_password_is_left_in_memory_that_is_given_back() {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let (der, pem) = (key.serialized_der(), key.serialize_pem());
    let base64: String = pem.lines().skip(10).take(2).collect();
    let utf16: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let own = [
        der[600..632].to_vec(),
        base64.as_bytes()[..40].to_vec(),
        base64.as_bytes()[70..110].to_vec(),
        PASSWORD.as_bytes().to_vec(),
        utf16,
    ];
    // The key of the archives of other programs.
    let plain = fs::read(Path::new(ARCHIVES).join("openssl-plain.p12")).unwrap();
    let others = plain[2492..2524].to_vec();
    SECRETS.set(own.into_iter().chain([others]).collect()).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let (certificate_pem, both) = (certificate.pem(), pem.clone() + &certificate.pem());
    // Longer than what is read at once, and than any buffer that is not grown.
    let long = file("long.pem", (both.clone() + &"\n".repeat(40_000)).as_bytes());
    let (key_file, certificate_file) = (file("key.pem", pem.as_bytes()), file("cert.pem", certificate_pem.as_bytes()));
    let plain_archive = archive(&[Bag::key(der), Bag::certificate(certificate.der())]);
    let archive_file = file("plain.p12", &plain_archive);
    let (secret_pem, secret_both) = (SecretString::from(pem.clone()), SecretString::from(both.clone()));
    let password = SecretString::from(PASSWORD);

    // It finds what is not wiped.
    let copy = both.clone();
    let ((), found) = left_behind(move || drop(copy));
    assert_eq!(found.iter().map(|(_, which)| *which).collect::<Vec<_>>(), [1, 2]);

    let (identity, found) = left_behind(|| Identity::from_pem(certificate_pem.as_bytes(), &secret_pem).unwrap());
    assert_eq!(found, [], "PEM");
    let ((), found) = left_behind(move || drop(identity));
    assert_eq!(found, [], "an identity that is dropped");
    let (_, found) = left_behind(|| Identity::from_pem(both.as_bytes(), &secret_both).unwrap());
    assert_eq!(found, [], "PEM with both");
    let (_, found) = left_behind(|| Identity::from_pem_files(&certificate_file, &key_file).unwrap());
    assert_eq!(found, [], "PEM files");
    let (_, found) = left_behind(|| Identity::from_pem_files(&long, &long).unwrap());
    assert_eq!(found, [], "one long PEM file for both");
    let (_, found) = left_behind(|| Identity::from_pkcs12(&plain_archive, &password).unwrap());
    assert_eq!(found, [], "an archive without encryption");
    let (_, found) = left_behind(|| Identity::from_pkcs12_file(&archive_file, &password).unwrap());
    assert_eq!(found, [], "a file with an archive without encryption");

    let secret = SecretString::from("secret");
    let archives = fs::read_dir(ARCHIVES).unwrap().map(|entry| entry.unwrap().path());
    for file in archives.filter(|file| file.extension().is_some_and(|extension| extension == "p12")) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        // With the right password, with a wrong one, and those that are not supported.
        for password in [&secret, &password] {
            let (_, found) = left_behind(|| Identity::from_pkcs12_file(&file, password).map_err(|_| ()));
            assert_eq!(found, [], "{name}");
        }
    }
}
