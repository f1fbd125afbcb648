package io.bitloom.client.sdk;

import com.google.protobuf.ByteString;
import io.bitloom.common.blobs.FileDigest;
import io.bitloom.common.blobs.HttpBlobs;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.model.ModelManifest;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.MissingBlob;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.ModelServiceGrpc;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.UploadBlobRequest;
import io.bitloom.v1.UploadBlobResponse;
import io.bitloom.v1.VersionManifest;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/** A model directory on its way into a cluster. */
final class ModelPush {

  /** A URL that does not take its file is asked for anew so many times. */
  private static final int ATTEMPTS = 5;

  private static final int PIECE = 256 << 10;

  private final ModelClient models;
  private final Connection connection;
  private final Path directory;
  private final ModelClient.Progress progress;

  ModelPush(
      ModelClient models, Connection connection, Path directory, ModelClient.Progress progress) {
    this.models = models;
    this.connection = connection;
    this.directory = directory;
    this.progress = progress;
  }

  ModelVersion run(List<String> labels) throws IOException {
    VersionManifest manifest = manifest();
    for (int attempt = 1; ; attempt++) {
      CreateVersionResponse begun = models.create(manifest);
      for (MissingBlob missing : begun.getMissingList()) {
        bring(manifest, begun.getVersion().getName(), missing);
      }
      try {
        return models.commit(begun.getVersion().getName(), labels);
      } catch (BitloomException e) {
        // Somebody deleted a version with the same files in between.
        if (e.code() != ErrorCode.MODEL_INCOMPLETE || attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private VersionManifest manifest() throws IOException {
    Path description = directory.resolve(ModelManifest.FILE);
    if (!Files.isRegularFile(description)) {
      throw BitloomException.invalid(
          "directory", directory, "must be a model directory, with a " + ModelManifest.FILE);
    }
    byte[] json = Files.readAllBytes(description);
    VersionManifest.Builder manifest =
        VersionManifest.newBuilder().setDescription(ByteString.copyFrom(json));
    ModelManifest.parse(json)
        .files()
        .forEach(
            (name, sha256) ->
                manifest.addFiles(
                    ModelFile.newBuilder()
                        .setName(name)
                        .setSha256(sha256)
                        .setSizeBytes(size(name))));
    return manifest.build();
  }

  private long size(String name) {
    Path file = directory.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw BitloomException.invalid("directory", name, "must have this file");
    }
    return file.toFile().length();
  }

  private void bring(VersionManifest manifest, String version, MissingBlob missing)
      throws IOException {
    ModelFile file =
        manifest.getFilesList().stream()
            .filter(listed -> listed.getSha256().equals(missing.getSha256()))
            .findFirst()
            .orElseThrow();
    Path path = directory.resolve(file.getName());
    String found = FileDigest.of(path);
    if (!found.equals(file.getSha256())) {
      throw BitloomException.invalid(
          file.getName(), found, "must have the SHA-256 " + file.getSha256() + " of model.json");
    }
    if (missing.getUrl().isEmpty()) {
      upload(manifest, version, missing, file, path);
    } else {
      put(manifest, missing, file, path);
    }
  }

  private void put(VersionManifest manifest, MissingBlob first, ModelFile file, Path path)
      throws IOException {
    progress.at(file.getName(), 0, file.getSizeBytes());
    Optional<MissingBlob> missing = Optional.of(first);
    for (int attempt = 1; missing.isPresent(); attempt++) {
      try {
        MissingBlob place = missing.get();
        HttpBlobs.put(URI.create(place.getUrl()), place.getHeadersMap(), path);
        break;
      } catch (IOException e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
        missing = missing(manifest, first.getSha256());
      }
    }
    progress.at(file.getName(), file.getSizeBytes(), file.getSizeBytes());
  }

  /** How things stand with a file. */
  private Optional<MissingBlob> missing(VersionManifest manifest, String sha256) {
    return models.create(manifest).getMissingList().stream()
        .filter(blob -> blob.getSha256().equals(sha256))
        .findFirst();
  }

  private void upload(
      VersionManifest manifest, String version, MissingBlob first, ModelFile file, Path path)
      throws IOException {
    Backoff backoff = new Backoff(connection);
    Optional<MissingBlob> missing = Optional.of(first);
    while (missing.isPresent()) {
      try {
        send(version, file, path, missing.get().getReceivedBytes());
        backoff.succeeded();
        return;
      } catch (StatusException e) {
        backoff.waitAfter(e);
        missing = missing(manifest, file.getSha256());
      } catch (InterruptedException e) {
        throw Backoff.interrupted(e);
      }
    }
  }

  private void send(String version, ModelFile file, Path path, long received)
      throws IOException, StatusException, InterruptedException {
    BlockingClientCall<UploadBlobRequest, UploadBlobResponse> call =
        ModelServiceGrpc.newBlockingV2Stub(models.channel()).uploadBlob();
    try (FileChannel bytes = FileChannel.open(path, StandardOpenOption.READ)) {
      ByteBuffer piece = ByteBuffer.allocate(PIECE);
      long offset = received;
      boolean more = true;
      while (more) {
        piece.clear();
        bytes.read(piece, offset);
        piece.flip();
        UploadBlobRequest message =
            UploadBlobRequest.newBuilder()
                .setVersion(version)
                .setSha256(file.getSha256())
                .setOffset(offset)
                .setData(ByteString.copyFrom(piece))
                .build();
        offset += message.getData().size();
        // It is false when the coordinator has ended the call, and read says why.
        more = call.write(message) && offset < file.getSizeBytes() && !message.getData().isEmpty();
        progress.at(file.getName(), offset, file.getSizeBytes());
      }
      call.halfClose();
      call.read();
    } finally {
      call.cancel("the upload is over", null);
    }
  }
}
