package io.bitloom.coordinator.registry;

import com.google.protobuf.ByteString;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.CommitVersionRequest;
import io.bitloom.v1.CreateVersionRequest;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.MissingBlob;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.ModelServiceGrpc;
import io.bitloom.v1.ModelServiceGrpc.ModelServiceBlockingStub;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.UploadBlobRequest;
import io.bitloom.v1.UploadBlobResponse;
import io.bitloom.v1.VersionManifest;
import io.grpc.stub.StreamObserver;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A model directory of a few bytes, and how it comes into a registry.
 *
 * @param files content by name
 */
public record TestModel(String name, String description, Map<String, ByteString> files) {

  public static TestModel of(String name, String description, String... contents) {
    Map<String, ByteString> files = new TreeMap<>();
    for (int i = 0; i < contents.length; i++) {
      files.put("part-" + i, ByteString.copyFromUtf8(contents[i]));
    }
    return new TestModel(name, description, files);
  }

  static String sha256(ByteString content) {
    return HexFormat.of().formatHex(ImageName.sha256(content).toByteArray());
  }

  VersionManifest manifest() {
    String digests =
        files.entrySet().stream()
            .map(file -> "\"" + file.getKey() + "\": \"" + sha256(file.getValue()) + "\"")
            .collect(Collectors.joining(", "));
    String json =
        "{\"name\": \"%s\", \"description\": \"%s\", \"sizes\": [\"0.06M\"], \"sha256\": {%s}}";
    return VersionManifest.newBuilder()
        .setDescription(
            ByteString.copyFromUtf8(String.format(Locale.ROOT, json, name, description, digests)))
        .addAllFiles(
            files.entrySet().stream()
                .map(
                    file ->
                        ModelFile.newBuilder()
                            .setName(file.getKey())
                            .setSha256(sha256(file.getValue()))
                            .setSizeBytes(file.getValue().size())
                            .build())
                .toList())
        .build();
  }

  public static ModelServiceBlockingStub service(TestCoordinator coordinator) {
    return ModelServiceGrpc.newBlockingStub(coordinator.calls())
        .withDeadlineAfter(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  CreateVersionResponse create(TestCoordinator coordinator) {
    return service(coordinator)
        .createVersion(CreateVersionRequest.newBuilder().setManifest(manifest()).build());
  }

  /** Brings all of it. */
  public ModelVersion push(TestCoordinator coordinator, String... labels) throws Exception {
    CreateVersionResponse begun = create(coordinator);
    for (MissingBlob missing : begun.getMissingList()) {
      ByteString content = content(missing.getSha256());
      upload(coordinator, begun.getVersion().getName(), missing.getSha256(), 0, content)
          .get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
    return commit(coordinator, begun.getVersion().getName(), labels);
  }

  ByteString content(String sha256) {
    return files.values().stream()
        .filter(content -> sha256(content).equals(sha256))
        .findFirst()
        .orElseThrow();
  }

  static ModelVersion commit(TestCoordinator coordinator, String version, String... labels) {
    return service(coordinator)
        .commitVersion(
            CommitVersionRequest.newBuilder()
                .setVersion(version)
                .addAllLabels(List.of(labels))
                .build())
        .getVersion();
  }

  /** Sends a file from an offset on, in one message, and ends the call. */
  static CompletableFuture<Long> upload(
      TestCoordinator coordinator, String version, String sha256, long offset, ByteString data) {
    CompletableFuture<Long> received = new CompletableFuture<>();
    StreamObserver<UploadBlobRequest> call =
        ModelServiceGrpc.newStub(coordinator.calls())
            .uploadBlob(
                new StreamObserver<>() {
                  @Override
                  public void onNext(UploadBlobResponse response) {
                    received.complete(response.getReceivedBytes());
                  }

                  @Override
                  public void onError(Throwable error) {
                    received.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    call.onNext(
        UploadBlobRequest.newBuilder()
            .setVersion(version)
            .setSha256(sha256)
            .setOffset(offset)
            .setData(data)
            .build());
    call.onCompleted();
    return received;
  }
}
