package io.bitloom.coordinator.http;

import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** A page for people: one file, whose own script is the only one that the browser may run. */
final class Page {

  private final String html;
  private final String policy;

  /** The page in a resource of this package. */
  Page(String resource) {
    html = read(resource);
    policy =
        "default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'unsafe-inline'; "
            + "script-src 'sha256-"
            + digest(html.substring(html.indexOf("<script>") + 8, html.indexOf("</script>")))
            + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  }

  void send(RoutingContext context) {
    context
        .response()
        .putHeader("Content-Type", "text/html; charset=utf-8")
        .putHeader("Content-Security-Policy", policy)
        .putHeader("Cache-Control", "no-cache")
        .end(html);
  }

  private static String read(String resource) {
    try (InputStream page = Page.class.getResourceAsStream(resource)) {
      return new String(page.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String digest(String script) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(script.getBytes(StandardCharsets.UTF_8));
      return Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
