package io.bitloom.coordinator.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.DeleteVersionRequest;
import io.bitloom.v1.GetVersionRequest;
import io.bitloom.v1.MissingBlob;
import io.bitloom.v1.ReadBlobRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where results are in S3, so are models: others put and fetch their files there. */
class ModelsInS3IT {

  @TempDir Path directory;

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private int put(MissingBlob missing, ByteString content) throws Exception {
    HttpRequest.Builder put =
        HttpRequest.newBuilder(URI.create(missing.getUrl()))
            .PUT(HttpRequest.BodyPublishers.ofByteArray(content.toByteArray()));
    missing.getHeadersMap().forEach(put::header);
    return http.send(put.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  @Test
  void filesArePutAndFetchedBySignedUrls() throws Exception {
    try (TestS3 s3 = TestS3.start();
        TestCoordinator coordinator =
            TestCoordinator.start(directory, s3.results("place"), Optional.empty())) {
      TestModel model = TestModel.of("m", "x", "the weights");
      CreateVersionResponse begun = model.create(coordinator);
      String version = begun.getVersion().getName();
      MissingBlob missing = begun.getMissing(0);
      ByteString weights = model.content(missing.getSha256());
      String key = "place/models/sha256/" + missing.getSha256();

      assertTrue(put(missing, ByteString.copyFromUtf8("THE WEIGHTS")) >= 400);
      assertEquals(List.of(), s3.keys(key));
      s3.overwrite(key, "THE WEIGHTS");
      assertEquals(
          ErrorCode.MODEL_INCOMPLETE,
          GrpcErrors.fromStatus(
                  assertThrows(Exception.class, () -> TestModel.commit(coordinator, version)))
              .code());
      assertEquals(List.of(), s3.keys(key), "what is wrong is deleted");
      assertEquals(200, put(model.create(coordinator).getMissing(0), weights));
      TestModel.commit(coordinator, version, "latest");

      String url =
          TestModel.service(coordinator)
              .getVersion(GetVersionRequest.newBuilder().setVersion("m").build())
              .getUrlsOrThrow(missing.getSha256());
      HttpRequest rest =
          HttpRequest.newBuilder(URI.create(url)).header("Range", "bytes=4-").build();
      assertEquals("weights", http.send(rest, HttpResponse.BodyHandlers.ofString()).body());
      ByteString read =
          TestModel.service(coordinator)
              .readBlob(
                  ReadBlobRequest.newBuilder()
                      .setVersion(version)
                      .setSha256(missing.getSha256())
                      .setOffset(4)
                      .build())
              .next()
              .getData();
      assertEquals("weights", read.toStringUtf8());

      TestModel.service(coordinator)
          .deleteVersion(DeleteVersionRequest.newBuilder().setVersion(version).build());
      assertEquals(List.of(), s3.keys("place/models/"));
    }
  }
}
