import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.xml.crypto.Data;
import javax.xml.crypto.OctetStreamData;
import javax.xml.crypto.URIDereferencer;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Verifies META-INF/signatures.xml in an unpacked document package, with the JDK's own XML signatures. */
public class VerifyPackage {
    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        DocumentBuilderFactory documents = DocumentBuilderFactory.newInstance();
        documents.setNamespaceAware(true);
        Document document = documents.newDocumentBuilder()
            .parse(directory.resolve("META-INF/signatures.xml").toFile());
        Element signature = (Element) document.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature").item(0);
        Element properties = (Element) document
            .getElementsByTagNameNS("http://uri.etsi.org/01903/v1.3.2#", "SignedProperties").item(0);
        properties.setIdAttribute("Id", true);
        Element der = (Element) document.getElementsByTagNameNS(XMLSignature.XMLNS, "X509Certificate").item(0);
        X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Base64.getMimeDecoder().decode(der.getTextContent())));

        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        DOMValidateContext context = new DOMValidateContext(certificate.getPublicKey(), signature);
        // The JDK would refuse the SHA-1 digest of the certificate nowhere, and file references without this.
        context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.FALSE);
        URIDereferencer inside = factory.getURIDereferencer();
        context.setURIDereferencer((reference, xmlContext) -> {
            String uri = reference.getURI();
            if (uri.startsWith("#")) {
                return inside.dereference(reference, xmlContext);
            }
            try {
                return (Data) new OctetStreamData(Files.newInputStream(directory.resolve(uri)));
            } catch (java.io.IOException exception) {
                throw new javax.xml.crypto.URIReferenceException(exception);
            }
        });
        XMLSignature xmlSignature = factory.unmarshalXMLSignature(context);
        boolean valid = xmlSignature.validate(context);
        StringBuilder references = new StringBuilder();
        for (Object reference : xmlSignature.getSignedInfo().getReferences()) {
            Reference checked = (Reference) reference;
            references.append(' ').append(checked.getURI()).append('=').append(checked.validate(context));
        }
        System.out.println((valid ? "valid" : "INVALID") + references);
        System.exit(valid ? 0 : 1);
    }
}
