package io.bitloom.coordinator.http;

import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * A file of the pages for people: markup, style, script or icon. Browsers run and show nothing on
 * these pages but such files.
 */
final class PageFile {

  /** Style, scripts and icon, which the pages ask for at {@code /pages/NAME}. */
  static final List<String> PARTS =
      List.of(
          "api.css",
          "api.js",
          "curve.js",
          "icon.svg",
          "jobs.css",
          "jobs.js",
          "pages.css",
          "pages.js",
          "standing.js",
          "training.css",
          "training.js");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  private static final String POLICY =
      "default-src 'none'; connect-src 'self'; img-src 'self'; style-src 'self'; "
          + "script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final String content;
  private final String type;

  /** The file of this name in the resources of this package. */
  PageFile(String name) {
    content = read("pages/" + name);
    type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
  }

  void send(RoutingContext context) {
    context
        .response()
        .putHeader("Content-Type", type)
        .putHeader("Content-Security-Policy", POLICY)
        .putHeader("Cache-Control", "no-cache")
        .end(content);
  }

  private static String read(String resource) {
    try (InputStream file = PageFile.class.getResourceAsStream(resource)) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
