import eu.europa.esig.dss.enumerations.CertificationPermission;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.pades.signature.PAdESWithExternalCMSService;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.reference.CanonicalizationTransform;
import eu.europa.esig.dss.xades.reference.DSSReference;
import eu.europa.esig.dss.xades.reference.EnvelopedSignatureTransform;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAbsentContent;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * A second maker of signed documents: signs with DSS what stands in a directory.
 *
 * <p>There are {@code seal.pem} and {@code tsa.pem} (chains), {@code seal.pkcs8} (RSA) and {@code tsa.pkcs8} (EC), the
 * same of {@code p256}, {@code p384} and {@code p521} (EC), {@code avtale.txt}, and in {@code sources} the documents:
 * {@code plain.pdf}, {@code genuine.pdf} with attachments, {@code signed.pdf} with a signature, and {@code sdo.xml}. The
 * names of the signed files begin with {@code dss-}.
 */
final class Sign {
    private static final String C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

    private final Path directory;
    private final List<CertificateToken> chain;
    private final PrivateKey key;
    private final PAdESService pades;
    private final XAdESService xades;
    private final List<File> made = new ArrayList<>();

    Sign(Path directory, CertificateVerifier verifier) throws Exception {
        this.directory = directory;
        chain = chain("seal.pem").stream().map(Sign::token).toList();
        key = key("seal.pkcs8", "RSA");
        List<X509Certificate> stamps = chain("tsa.pem");
        KeyEntityTSPSource source = new KeyEntityTSPSource(key("tsa.pkcs8", "EC"), stamps.get(0), stamps);
        source.setTsaPolicy("1.2.3.4.5");
        source.setAcceptedDigestAlgorithms(List.of(DigestAlgorithm.SHA512));
        pades = new PAdESService(verifier);
        pades.setTspSource(source);
        xades = new XAdESService(verifier);
        xades.setTspSource(source);
    }

    /** Signs everything, and tells the files. */
    List<File> all() throws Exception {
        SignatureLevel b = SignatureLevel.PAdES_BASELINE_B;
        DSSDocument plain = source("plain.pdf");
        save("dss-b.pdf", sign(plain, b, null));
        DSSDocument stamped = save("dss-t.pdf", sign(plain, SignatureLevel.PAdES_BASELINE_T, null));
        save("dss-lt.pdf", sign(plain, SignatureLevel.PAdES_BASELINE_LT, null));
        DSSDocument archived = save("dss-lta.pdf", sign(plain, SignatureLevel.PAdES_BASELINE_LTA, null));
        for (CertificationPermission permission : CertificationPermission.values()) {
            save("dss-certified-" + permission.getCode() + ".pdf", sign(plain, b, permission));
        }
        save("dss-extended.pdf", extend(stamped));
        save("dss-renewed.pdf", extend(archived));
        save("dss-twice.pdf", sign(stamped, b, null));
        save("dss-after-another.pdf", sign(source("signed.pdf"), b, null));
        CertificationPermission none = CertificationPermission.NO_CHANGE_PERMITTED;
        save("dss-genuine.pdf", sign(source("genuine.pdf"), SignatureLevel.PAdES_BASELINE_T, none));
        save("dss-genuine-archived.pdf", sign(source("genuine.pdf"), SignatureLevel.PAdES_BASELINE_LTA, none));
        save("dss-ber-bouncy-castle.pdf", signInBer(plain));
        for (SignatureLevel level : List.of(
            SignatureLevel.XAdES_BASELINE_B, SignatureLevel.XAdES_BASELINE_T, SignatureLevel.XAdES_BASELINE_LT)) {
            String end = level == SignatureLevel.XAdES_BASELINE_B ? "" : level.name().substring(14).toLowerCase();
            end = end.replace('_', '-') + ".xml";
            save("dss-sdo" + end, signXml(level, sdo(), new Sealer("seal", SignatureAlgorithm.RSA_SHA256)));
            save("dss-bare" + end, signXml(level, null, new Sealer("seal", SignatureAlgorithm.RSA_SHA256)));
        }
        for (Sealer sealer : List.of(
            new Sealer("p256", SignatureAlgorithm.ECDSA_SHA256),
            new Sealer("p384", SignatureAlgorithm.ECDSA_SHA384),
            new Sealer("p521", SignatureAlgorithm.ECDSA_SHA512),
            new Sealer("seal", SignatureAlgorithm.RSA_SSA_PSS_SHA256_MGF1))) {
            String name = (sealer.name().equals("seal") ? "pss" : sealer.name()) + ".xml";
            save("dss-sdo-" + name, signXml(SignatureLevel.XAdES_BASELINE_B, sdo(), sealer));
            save("dss-bare-" + name, signXml(SignatureLevel.XAdES_BASELINE_T, null, sealer));
        }
        return made;
    }

    private DSSDocument sign(DSSDocument document, SignatureLevel level, CertificationPermission permission)
        throws Exception {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(level);
        parameters.setSigningCertificate(chain.get(0));
        parameters.setCertificateChain(chain);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setPermission(permission);
        parameters.setContentSize(40_000);
        SignatureValue value = value(pades.getDataToSign(document, parameters));
        return pades.signDocument(document, parameters, value);
    }

    /** With the CMS as Bouncy Castle writes it: BER. */
    private DSSDocument signInBer(DSSDocument document) throws Exception {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setContentSize(40_000);
        PAdESWithExternalCMSService service = new PAdESWithExternalCMSService();
        byte[] digest = service.getMessageDigest(document, parameters).getValue();
        ASN1EncodableVector attributes = new ASN1EncodableVector();
        attributes.add(new Attribute(CMSAttributes.contentType, new DERSet(PKCSObjectIdentifiers.data)));
        attributes.add(new Attribute(CMSAttributes.messageDigest, new DERSet(new DEROctetString(digest))));
        ESSCertIDv2 named = new ESSCertIDv2(chain.get(0).getDigest(DigestAlgorithm.SHA256));
        SigningCertificateV2 names = new SigningCertificateV2(new ESSCertIDv2[] {named});
        attributes.add(new Attribute(PKCSObjectIdentifiers.id_aa_signingCertificateV2, new DERSet(names)));
        AttributeTable table = new AttributeTable(attributes);
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        var digests = new JcaDigestCalculatorProviderBuilder().build();
        generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(digests)
            .setSignedAttributeGenerator(parameters_ -> table)
            .build(new JcaContentSignerBuilder("SHA256withRSA").build(key), chain.get(0).getCertificate()));
        generator.addCertificates(new JcaCertStore(chain.stream().map(CertificateToken::getCertificate).toList()));
        byte[] contents = generator.generate(new CMSAbsentContent(), false).getEncoded();
        DSSDocument signed = service.signDocument(document, parameters, new InMemoryDocument(contents));
        // DSS has made DER of it: back to what it was.
        String text = new String(DSSUtils.toByteArray(signed), StandardCharsets.ISO_8859_1);
        int start = text.indexOf("/Contents <") + "/Contents <".length();
        String digits = HexFormat.of().formatHex(contents);
        String filled = digits + "0".repeat(text.indexOf('>', start) - start - digits.length());
        text = text.substring(0, start) + filled + text.substring(start + filled.length());
        return new InMemoryDocument(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private DSSDocument extend(DSSDocument document) {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_LTA);
        return pades.extendDocument(document, parameters);
    }

    /** Who signs XML, by the name of chain and key, and how. */
    private record Sealer(String name, SignatureAlgorithm algorithm) {}

    /** The reference of an LTV-SDO to all of it. */
    private List<DSSReference> sdo() {
        DSSReference reference = new DSSReference();
        reference.setId("whole");
        reference.setUri("#root");
        reference.setContents(source("sdo.xml"));
        reference.setDigestMethodAlgorithm(DigestAlgorithm.SHA256);
        reference.setTransforms(List.of(new EnvelopedSignatureTransform(), new CanonicalizationTransform(C14N)));
        return List.of(reference);
    }

    /** Signs the LTV-SDO by its reference, or without one a file beside. */
    private DSSDocument signXml(SignatureLevel level, List<DSSReference> references, Sealer sealer) throws Exception {
        boolean isBare = references == null;
        DSSDocument document =
            isBare ? new FileDocument(directory.resolve("avtale.txt").toFile()) : source("sdo.xml");
        List<CertificateToken> own = chain(sealer.name() + ".pem").stream().map(Sign::token).toList();
        XAdESSignatureParameters parameters = new XAdESSignatureParameters();
        parameters.setSignatureLevel(level);
        parameters.setSignaturePackaging(isBare ? SignaturePackaging.DETACHED : SignaturePackaging.ENVELOPED);
        parameters.setSigningCertificate(own.get(0));
        parameters.setCertificateChain(own);
        parameters.setDigestAlgorithm(sealer.algorithm().getDigestAlgorithm());
        parameters.setEncryptionAlgorithm(sealer.algorithm().getEncryptionAlgorithm());
        if (isBare) {
            parameters.setReferenceDigestAlgorithm(DigestAlgorithm.SHA256);
        } else {
            parameters.setReferences(references);
        }
        PrivateKey key = key(sealer.name() + ".pkcs8", sealer.name().equals("seal") ? "RSA" : "EC");
        ToBeSigned data = xades.getDataToSign(document, parameters);
        return xades.signDocument(document, parameters, value(data, key, sealer.algorithm()));
    }

    private SignatureValue value(ToBeSigned data) throws Exception {
        return value(data, key, SignatureAlgorithm.RSA_SHA256);
    }

    private static SignatureValue value(ToBeSigned data, PrivateKey key, SignatureAlgorithm algorithm)
        throws Exception {
        Signature signature = Signature.getInstance(algorithm.getJCEId());
        if (algorithm == SignatureAlgorithm.RSA_SSA_PSS_SHA256_MGF1) {
            signature = Signature.getInstance("RSASSA-PSS");
            signature.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
        }
        signature.initSign(key);
        signature.update(data.getBytes());
        return new SignatureValue(algorithm, signature.sign());
    }

    private DSSDocument source(String name) {
        return new FileDocument(directory.resolve("sources").resolve(name).toFile());
    }

    private DSSDocument save(String name, DSSDocument document) throws Exception {
        File file = directory.resolve(name).toFile();
        document.save(file.getPath());
        made.add(file);
        return document;
    }

    private List<X509Certificate> chain(String name) throws Exception {
        try (InputStream input = Files.newInputStream(directory.resolve(name))) {
            return CertificateFactory.getInstance("X.509").generateCertificates(input).stream()
                .map(X509Certificate.class::cast).toList();
        }
    }

    private PrivateKey key(String name, String algorithm) throws Exception {
        byte[] content = Files.readAllBytes(directory.resolve(name));
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(content));
    }

    private static CertificateToken token(X509Certificate certificate) {
        try {
            return DSSUtils.loadCertificate(certificate.getEncoded());
        } catch (java.security.cert.CertificateException exception) {
            throw new IllegalArgumentException(exception);
        }
    }
}
