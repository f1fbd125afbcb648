package io.bitloom.coordinator.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.results.ImageUpload;
import io.bitloom.coordinator.config.S3Config;
import io.bitloom.v1.ImageFormat;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The store against a server on a socket that checks signatures and checksums. */
class S3ResultStoreIT {

  private static final ByteString IMAGE = ByteString.copyFromUtf8("an image");
  private static final ByteString DIGEST = ImageName.sha256(IMAGE);

  private static TestS3 s3;
  private static S3ResultStore store;
  private static HttpClient http;

  private final String job = "job-" + UUID.randomUUID();
  private final ImageName name = new ImageName(job, 7, 0, ImageFormat.IMAGE_FORMAT_PNG, DIGEST);

  @BeforeAll
  static void start() throws Exception {
    s3 = TestS3.start();
    store = S3ResultStore.open(s3.config("some/prefix"));
    http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  @AfterAll
  static void stop() throws Exception {
    store.close();
    s3.close();
  }

  private static ErrorCode codeOf(Executable call) {
    return assertThrows(BitloomException.class, call).code();
  }

  private static int put(URI url, Map<String, String> headers, ByteString file) throws Exception {
    HttpRequest.Builder put =
        HttpRequest.newBuilder(url).PUT(HttpRequest.BodyPublishers.ofByteArray(file.toByteArray()));
    headers.forEach(put::header);
    return http.send(put.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  @Test
  void whatIsPutBelowThePrefixIsReadAndDeletedWithItsJobAlone() {
    String other = store.put(new ImageName("other", 0, 0, name.format(), DIGEST), IMAGE);
    String path = store.put(name, IMAGE);
    assertEquals(List.of("some/prefix/" + path), s3.keys("some/prefix/" + path));
    assertEquals(IMAGE, store.read(path, DIGEST));
    store.delete(job);
    store.delete(job);
    assertEquals(ErrorCode.RESULT_MISSING, codeOf(() -> store.read(path, DIGEST)));
    assertEquals(IMAGE, store.read(other, DIGEST));
  }

  @Test
  void anObjectThatWasChangedIsNotGivenOut() {
    String path = store.put(name, IMAGE);
    s3.overwrite("some/prefix/" + path, "an imagE");
    assertEquals(ErrorCode.RESULT_CORRUPT, codeOf(() -> store.read(path, DIGEST)));
    assertEquals(ErrorCode.RESULT_CORRUPT, codeOf(() -> store.confirm(name, IMAGE.size())));
    s3.remove("some/prefix/" + path);
    assertEquals(ErrorCode.RESULT_MISSING, codeOf(() -> store.confirm(name, IMAGE.size())));
  }

  @Test
  void anUploadHoldsForOneFileAtOnePlace() throws Exception {
    ImageUpload upload = store.upload(name, IMAGE.size());
    Map<String, String> others = new HashMap<>(upload.headers());
    others.replaceAll(
        (header, value) -> header.equals("x-amz-checksum-sha256") ? "A" + value : value);
    URI elsewhere = URI.create(upload.url().toString().replace("/7-0-", "/8-0-"));

    assertEquals(
        400, put(upload.url(), upload.headers(), ByteString.copyFromUtf8("an imagE")), "digest");
    assertEquals(
        403, put(upload.url(), upload.headers(), ByteString.copyFromUtf8("longer image")), "size");
    assertEquals(403, put(upload.url(), others, IMAGE), "header");
    assertEquals(403, put(elsewhere, upload.headers(), IMAGE), "place");
    assertEquals(ErrorCode.RESULT_MISSING, codeOf(() -> store.confirm(name, IMAGE.size())));

    assertEquals(200, put(upload.url(), upload.headers(), IMAGE));
    store.confirm(name, IMAGE.size());
    assertEquals(ErrorCode.RESULT_CORRUPT, codeOf(() -> store.confirm(name, 1)));
    HttpResponse<byte[]> fetched =
        http.send(
            HttpRequest.newBuilder(store.download(name.path())).build(),
            HttpResponse.BodyHandlers.ofByteArray());
    assertEquals(IMAGE, ByteString.copyFrom(fetched.body()));
    assertEquals("image/png", fetched.headers().firstValue("content-type").orElseThrow());
  }

  @Test
  void aBucketThatIsNotThereIsNamedAtTheStart() {
    S3Config config = S3Config.of("s3://nowhere", s3.endpoint().toString(), "", true);
    ConfigException error = assertThrows(ConfigException.class, () -> S3ResultStore.open(config));
    assertEquals(
        "results must name a bucket that exists, not \"s3://nowhere/\"", error.getMessage());
  }

  @Test
  void missingAccessIsToldAtTheStart() {
    String secret = System.setProperty("aws.secretAccessKey", "wrong");
    try {
      ConfigException error =
          assertThrows(ConfigException.class, () -> S3ResultStore.open(s3.config("")));
      assertTrue(
          error.getMessage().contains("must be a bucket that these credentials may look at"),
          error.getMessage());
    } finally {
      System.setProperty("aws.secretAccessKey", secret);
    }
  }

  @Test
  void aServerThatDoesNotAnswerIsUnavailable() {
    S3Config config = S3Config.of("s3://images", "http://127.0.0.1:1", "", true);
    BitloomException error = assertThrows(BitloomException.class, () -> S3ResultStore.open(config));
    assertEquals(ErrorCode.RESULT_STORE_UNAVAILABLE, error.code());
    assertTrue(error.getMessage().contains("http://127.0.0.1:1"), error.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "s3://images, images, ''",
    "s3://images/, images, ''",
    "s3://images/a/b, images, a/b/",
    "s3://images/a/b/, images, a/b/"
  })
  void aLocationIsABucketAndAPrefix(String location, String bucket, String prefix) {
    S3Config config = S3Config.of(location, "", "", false);
    assertEquals(bucket, config.bucket());
    assertEquals(prefix, config.prefix());
  }

  @ParameterizedTest
  @CsvSource({
    "results, images, ''",
    "results, s3://, ''",
    "results, s3://x, ''",
    "results, https://images.s3.amazonaws.com, ''",
    "s3-endpoint, s3://images, minio:9000",
    "s3-endpoint, s3://images, http://minio:9000/images"
  })
  void anotherLocationIsRefusedByItsKey(String key, String location, String endpoint) {
    ConfigException error =
        assertThrows(ConfigException.class, () -> S3Config.of(location, endpoint, "", true));
    assertTrue(error.getMessage().startsWith(key + " must"), error.getMessage());
  }
}
