import eu.europa.esig.dss.alert.SilentOnStatusAlert;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.enumerations.SubIndication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the EU's DSS says about the signatures of files: one line of JSON for each signature, and one for a file that it
 * cannot read or that has none. Nothing is fetched from anywhere: revocation lists that DSS would fetch are given as
 * files.
 *
 * <pre>java -jar dss-judge.jar [--trust ROOTS.pem]... [--crl FILE]... [--detached FILE]... [--sign DIRECTORY]
 *     [--details] FILE...</pre>
 *
 * The files of --detached are those that signatures may be about which do not contain them.
 *
 * With --sign, DSS first signs what stands in DIRECTORY/sources (see {@link Sign}), and judges that too.
 */
public class Judge {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] arguments) throws Exception {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        List<InputStream> lists = new ArrayList<>();
        List<DSSDocument> detached = new ArrayList<>();
        List<File> files = new ArrayList<>();
        Path toSign = null;
        boolean details = false;
        for (int at = 0; at < arguments.length; at++) {
            switch (arguments[at]) {
                case "--trust" -> trust(trusted, arguments[++at]);
                case "--crl" -> lists.add(new FileInputStream(arguments[++at]));
                case "--detached" -> detached.add(new FileDocument(arguments[++at]));
                case "--sign" -> toSign = Path.of(arguments[++at]);
                case "--details" -> details = true;
                default -> files.add(new File(arguments[at]));
            }
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(trusted);
        if (!lists.isEmpty()) {
            verifier.setCrlSource(new ExternalResourcesCRLSource(lists.toArray(InputStream[]::new)));
        }
        if (toSign != null) {
            // What has no revocation values is made all the same.
            verifier.setAlertOnMissingRevocationData(new SilentOnStatusAlert());
            files.addAll(new Sign(toSign, verifier).all());
        }
        boolean tellsDetails = details;
        files.parallelStream().map(file -> judge(file, verifier, detached, tellsDetails)).forEachOrdered(OUT::print);
    }

    private static void trust(CommonTrustedCertificateSource trusted, String file) throws Exception {
        try (InputStream input = new FileInputStream(file)) {
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(input)) {
                trusted.addCertificate(DSSUtils.loadCertificate(((X509Certificate) certificate).getEncoded()));
            }
        }
    }

    private static String judge(
        File file, CommonCertificateVerifier common, List<DSSDocument> detached, boolean details) {
        Reports reports;
        StringBuilder lines = new StringBuilder();
        try {
            CertificateVerifier verifier = new CommonCertificateVerifier();
            verifier.setTrustedCertSources(common.getTrustedCertSources());
            verifier.setCrlSource(common.getCrlSource());
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
            validator.setCertificateVerifier(verifier);
            if (file.getName().endsWith(".xml")) {
                validator.setDetachedContents(detached);
            }
            reports = validator.validateDocument();
        } catch (Exception exception) {
            return new Line(file).with("error", String.valueOf(exception.getMessage())) + "\n";
        }
        SimpleReport report = reports.getSimpleReport();
        DiagnosticData data = reports.getDiagnosticData();
        if (report.getSignatureIdList().isEmpty()) {
            lines.append(new Line(file).with("error", "no signature")).append('\n');
        }
        for (String id : report.getSignatureIdList()) {
            SignatureWrapper signature = data.getSignatureById(id);
            Indication indication = report.getIndication(id);
            SubIndication reason = report.getSubIndication(id);
            Line line = new Line(file)
                .with("indication", indication.name())
                .with("sub_indication", reason == null ? null : reason.name())
                .with("level", String.valueOf(report.getSignatureFormat(id)))
                .with("intact", signature.isSignatureIntact() && signature.isSignatureValid())
                .with("trusted", signature.isTrustedChain())
                .with("signer", report.getSignedBy(id))
                .with("best_time", String.valueOf(report.getBestSignatureTime(id).toInstant()))
                .with("changes", changes(signature))
                .with("timestamps", timestamps(signature, report));
            if (details) {
                List<Message> messages = new ArrayList<>(report.getAdESValidationErrors(id));
                messages.addAll(report.getAdESValidationWarnings(id));
                line.with("messages", messages.stream().map(Message::getValue).toList());
            }
            lines.append(line).append('\n');
        }
        return lines.toString();
    }

    /** What was changed after a signature in a PDF, by kind. Additions that do not show are none. */
    private static List<String> changes(SignatureWrapper signature) {
        Set<String> changes = new TreeSet<>();
        add(changes, "page", signature.getPdfPageDifferenceConcernedPages());
        add(changes, "overlap", signature.getPdfAnnotationsOverlapConcernedPages());
        add(changes, "visual", signature.getPdfVisualDifferenceConcernedPages());
        if (!signature.getPdfSignatureOrFormFillChanges().isEmpty()) {
            changes.add("form");
        }
        if (!signature.getPdfAnnotationChanges().isEmpty()) {
            changes.add("annotation");
        }
        if (!signature.getPdfUndefinedChanges().isEmpty()) {
            changes.add("undefined");
        }
        return List.copyOf(changes);
    }

    private static void add(Set<String> changes, String kind, List<?> pages) {
        if (pages != null && !pages.isEmpty()) {
            changes.add(kind);
        }
    }

    /** The timestamps of a signature, each as kind and verdict. */
    private static List<String> timestamps(SignatureWrapper signature, SimpleReport report) {
        List<String> timestamps = new ArrayList<>();
        for (TimestampWrapper timestamp : signature.getTimestampList()) {
            timestamps.add(timestamp.getType() + " " + report.getIndication(timestamp.getId()));
        }
        return timestamps;
    }

    /** A line of JSON that grows. */
    private static final class Line {
        private final StringBuilder text = new StringBuilder("{");

        Line(File file) {
            with("file", file.getName());
        }

        Line with(String name, Object value) {
            if (text.length() > 1) {
                text.append(", ");
            }
            text.append(quoted(name)).append(": ");
            if (value instanceof List<?> values) {
                text.append('[');
                for (int at = 0; at < values.size(); at++) {
                    text.append(at == 0 ? "" : ", ").append(quoted(String.valueOf(values.get(at))));
                }
                text.append(']');
            } else if (value instanceof Boolean || value == null) {
                text.append(value);
            } else {
                text.append(quoted(value.toString()));
            }
            return this;
        }

        private static String quoted(String value) {
            StringBuilder text = new StringBuilder("\"");
            for (char c : value.toCharArray()) {
                if (c == '"' || c == '\\') {
                    text.append('\\').append(c);
                } else if (c < ' ') {
                    text.append(String.format("\\u%04x", (int) c));
                } else {
                    text.append(c);
                }
            }
            return text.append('"').toString();
        }

        @Override
        public String toString() {
            return text + "}";
        }
    }
}
