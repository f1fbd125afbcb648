package io.bitloom.common.blobs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files come over a socket that breaks. */
class BlobDownloadTest {

  private static final byte[] CONTENT = new byte[1_000_000];

  static {
    new Random(1).nextBytes(CONTENT);
  }

  @TempDir Path folder;

  private final List<String> ranges = Collections.synchronizedList(new ArrayList<>());
  private HttpServer server;
  private URI url;
  private String sha256;
  private Path file;

  /** How many bytes of an answer come before the connection breaks. */
  private int breaksAfter = Integer.MAX_VALUE;

  private boolean knowsRanges = true;

  @BeforeEach
  void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/file", this::answer);
    server.createContext(
        "/elsewhere",
        exchange -> {
          exchange.getResponseHeaders().set("Location", url.toString());
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
    server.start();
    url = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/file");
    sha256 = FileDigest.of(Files.write(folder.resolve("original"), CONTENT));
    file = folder.resolve("came");
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    ranges.add(String.valueOf(range));
    int from = range == null || !knowsRanges ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
    byte[] rest = Arrays.copyOfRange(CONTENT, from, CONTENT.length);
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, rest.length);
    try {
      exchange.getResponseBody().write(rest, 0, Math.min(rest.length, breaksAfter));
    } finally {
      exchange.close();
    }
  }

  private void bring() throws IOException {
    BlobDownload.bring(
        file, sha256, CONTENT.length, offset -> HttpBlobs.read(url, offset), arrived -> {});
  }

  @Test
  void aDownloadGoesOnWhereTheConnectionBroke() throws Exception {
    breaksAfter = 400_000;
    bring();
    assertArrayEquals(CONTENT, Files.readAllBytes(file));
    assertEquals("null", ranges.get(0));
    assertTrue(ranges.size() >= 3, ranges.toString());
    assertTrue(ranges.get(1).matches("bytes=[1-9]\\d*-"), ranges.toString());
    assertFalse(Files.exists(folder.resolve("came.part")));
  }

  @Test
  void anotherProcessGoesOnWithWhatIsThere() throws Exception {
    Files.write(folder.resolve("came.part"), Arrays.copyOf(CONTENT, 123_456));
    bring();
    assertArrayEquals(CONTENT, Files.readAllBytes(file));
    assertEquals(List.of("bytes=123456-"), ranges);
  }

  @Test
  void aServerWithoutRangesSendsAllAndOnlyTheRestIsTaken() throws Exception {
    knowsRanges = false;
    Files.write(folder.resolve("came.part"), Arrays.copyOf(CONTENT, 123_456));
    bring();
    assertArrayEquals(CONTENT, Files.readAllBytes(file));
  }

  @Test
  void bytesWithAnotherDigestGetNoNameAndAreNotKept() throws Exception {
    Files.write(folder.resolve("came.part"), new byte[1000]);
    BitloomException corrupt = assertThrows(BitloomException.class, this::bring);
    assertEquals(ErrorCode.RESULT_CORRUPT, corrupt.code());
    assertFalse(Files.exists(file));
    assertFalse(Files.exists(folder.resolve("came.part")));
    bring();
    assertArrayEquals(CONTENT, Files.readAllBytes(file));
  }

  @Test
  void aRedirectIsNotFollowed() {
    URI elsewhere = url.resolve("/elsewhere");
    IOException refused = assertThrows(IOException.class, () -> HttpBlobs.read(elsewhere, 0));
    assertEquals("127.0.0.1 answers with status 302", refused.getMessage());
    assertEquals(List.of(), ranges);
  }

  @Test
  void anEmptyFileIsThereWithoutAskingForIt() throws Exception {
    String empty = FileDigest.of(Files.createFile(folder.resolve("empty")));
    BlobDownload.bring(
        file,
        empty,
        0,
        offset -> {
          throw new AssertionError("asked for");
        },
        arrived -> {});
    assertEquals(0, Files.size(file));
  }
}
