package io.bitloom.common.blobs;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * Files over HTTP, by URLs that a coordinator has signed. A redirect is not followed: whoever signs
 * says where the file is.
 */
public final class HttpBlobs {

  private static final Duration CONNECT = Duration.ofSeconds(10);

  /** A connection on which nothing comes for so long is dead. */
  private static final Duration SILENCE = Duration.ofSeconds(30);

  /** A store may look through a large file before it answers. */
  private static final Duration STORING = Duration.ofMinutes(5);

  private static final int OK = 200;
  private static final int PARTIAL = 206;
  private static final int SUCCESS = 2;

  private HttpBlobs() {}

  /**
   * Opens a file at an offset.
   *
   * @throws IOException if it does not answer, or refuses
   */
  public static InputStream read(URI url, long offset) throws IOException {
    HttpURLConnection http = connection(url, SILENCE);
    if (offset > 0) {
      http.setRequestProperty("Range", "bytes=" + offset + "-");
    }
    int status = http.getResponseCode();
    if (status != OK && status != PARTIAL) {
      http.disconnect();
      throw refused(url, status);
    }
    InputStream body = http.getInputStream();
    if (status == OK) {
      body.skipNBytes(offset); // a server that knows no ranges
    }
    return body;
  }

  /**
   * Puts a file.
   *
   * @param headers that the request must have
   * @throws IOException if it does not answer, or refuses
   */
  public static void put(URI url, Map<String, String> headers, Path file) throws IOException {
    HttpURLConnection http = connection(url, STORING);
    http.setRequestMethod("PUT");
    headers.forEach(http::setRequestProperty);
    http.setDoOutput(true);
    http.setFixedLengthStreamingMode(Files.size(file));
    try (OutputStream body = http.getOutputStream()) {
      Files.copy(file, body);
    }
    int status = http.getResponseCode();
    http.disconnect();
    if (status / 100 != SUCCESS) {
      throw refused(url, status);
    }
  }

  private static HttpURLConnection connection(URI url, Duration silence) throws IOException {
    if (!(url.toURL().openConnection() instanceof HttpURLConnection http)) {
      throw new IOException("not a URL of HTTP: " + url.getScheme());
    }
    http.setInstanceFollowRedirects(false);
    http.setConnectTimeout((int) CONNECT.toMillis());
    http.setReadTimeout((int) silence.toMillis());
    return http;
  }

  /** The query has the signature, which is nobody's business. */
  private static IOException refused(URI url, int status) {
    return new IOException(url.getHost() + " answers with status " + status);
  }
}
