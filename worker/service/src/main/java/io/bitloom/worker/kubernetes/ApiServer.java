package io.bitloom.worker.kubernetes;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The API server of the cluster that this pod runs in, called as the pod's service account. Where
 * it is and who the pod is, Kubernetes says in the environment and in files ("Accessing the
 * Kubernetes API from a Pod").
 */
public final class ApiServer {
  private static final Path ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final HttpClient client;
  private final URI pod;
  private final Path token;

  /**
   * The API server of this pod's cluster.
   *
   * @throws IOException if this is no pod, or none with a service account's token
   */
  public static ApiServer ofThisPod() throws IOException {
    return of(System.getenv(), ACCOUNT);
  }

  /**
   * @param environment of a pod: {@code KUBERNETES_SERVICE_HOST} and {@code
   *     KUBERNETES_SERVICE_PORT}, and its name in {@code HOSTNAME}
   * @param account folder with the service account's {@code token}, {@code ca.crt} and {@code
   *     namespace}
   */
  static ApiServer of(Map<String, String> environment, Path account) throws IOException {
    String host = required(environment, "KUBERNETES_SERVICE_HOST");
    String port = required(environment, "KUBERNETES_SERVICE_PORT");
    String name = required(environment, "HOSTNAME");
    String namespace = Files.readString(account.resolve("namespace")).strip();
    Path certificates = account.resolve("ca.crt");
    try {
      URI pod =
          new URI(
              "https://"
                  + (host.indexOf(':') < 0 ? host : "[" + host + "]")
                  + ":"
                  + port
                  + "/api/v1/namespaces/"
                  + namespace
                  + "/pods/"
                  + name);
      HttpClient client =
          HttpClient.newBuilder()
              .connectTimeout(TIMEOUT)
              .sslContext(trusting(certificates))
              .build();
      return new ApiServer(client, pod, account.resolve("token"));
    } catch (URISyntaxException e) {
      throw new IOException("no address of an API server: " + e.getMessage(), e);
    } catch (GeneralSecurityException e) {
      throw new IOException(certificates + " has no certificates: " + e.getMessage(), e);
    }
  }

  private ApiServer(HttpClient client, URI pod, Path token) {
    this.client = client;
    this.pod = pod;
    this.token = token;
  }

  private static String required(Map<String, String> environment, String variable)
      throws IOException {
    String value = environment.get(variable);
    if (value == null || value.isBlank()) {
      throw new IOException(variable + " is not set");
    }
    return value;
  }

  private static SSLContext trusting(Path certificates)
      throws IOException, GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    try (InputStream pem = Files.newInputStream(certificates)) {
      int number = 0;
      for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        trusted.setCertificateEntry("ca-" + number++, one);
      }
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  /**
   * Changes this pod.
   *
   * @param patch a JSON merge patch (RFC 7396)
   * @throws IOException if the server cannot be reached or refuses
   */
  void patchPod(String patch) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(pod)
            .timeout(TIMEOUT)
            .header("Authorization", "Bearer " + Files.readString(token).strip()) // it is renewed
            .header("Content-Type", "application/merge-patch+json")
            .method("PATCH", HttpRequest.BodyPublishers.ofString(patch))
            .build();
    HttpResponse<Void> response = client.send(request, HttpResponse.BodyHandlers.discarding());
    if (response.statusCode() != 200) {
      throw new IOException(pod + " answers " + response.statusCode() + " to a patch");
    }
  }
}
