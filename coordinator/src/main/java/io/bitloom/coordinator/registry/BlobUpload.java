package io.bitloom.coordinator.registry;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.jobs.Upload;
import io.bitloom.coordinator.models.ModelVersions;
import io.bitloom.coordinator.results.BlobStore;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.UploadBlobRequest;
import io.bitloom.v1.UploadBlobResponse;
import io.bitloom.v1.VersionManifest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** A file of a version on its way into the store. A message is done when it is written. */
final class BlobUpload implements Upload<UploadBlobRequest, UploadBlobResponse> {

  private static final int MOST_BYTES = 1 << 20;

  private final ModelVersions versions;
  private final BlobStore blobs;
  private final BlobStore.Pieces pieces;
  private final Executor threads;
  private CompletionStage<ModelFile> file;
  private CompletionStage<Long> received;

  BlobUpload(ModelVersions versions, BlobStore blobs, BlobStore.Pieces pieces, Executor threads) {
    this.versions = versions;
    this.blobs = blobs;
    this.pieces = pieces;
    this.threads = threads;
  }

  @Override
  public CompletionStage<Long> take(UploadBlobRequest piece) {
    if (file == null) {
      file =
          CompletableFuture.completedStage(piece.getVersion())
              .thenCompose(versions::manifest)
              .thenApply(manifest -> file(manifest, piece.getVersion(), piece.getSha256()));
    }
    received = file.thenApplyAsync(known -> write(known, piece), threads);
    return received;
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} if the version has no such file
   */
  static ModelFile file(VersionManifest manifest, String version, String sha256) {
    return manifest.getFilesList().stream()
        .filter(file -> file.getSha256().equals(sha256))
        .findFirst()
        .orElseThrow(
            () -> BitloomException.invalid("sha256", sha256, "must be a file of " + version));
  }

  private long write(ModelFile file, UploadBlobRequest piece) {
    if (piece.getData().size() > MOST_BYTES) {
      throw BitloomException.invalid(
          "data", piece.getData().size() + " bytes", "must have at most " + MOST_BYTES);
    }
    if (piece.getOffset() < 0 || piece.getOffset() > file.getSizeBytes() - piece.getData().size()) {
      throw BitloomException.invalid(
          "offset", piece.getOffset(), "must lie in the " + file.getSizeBytes() + " bytes");
    }
    if (blobs.size(file.getSha256()).isEmpty()) { // else somebody else was quicker
      pieces.write(file.getSha256(), piece.getOffset(), piece.getData());
    }
    return piece.getOffset() + piece.getData().size();
  }

  @Override
  public CompletionStage<UploadBlobResponse> complete() {
    if (received == null) {
      throw BitloomException.invalid("version", "", "must be named in the first message");
    }
    return received
        .thenCombine(file, (end, known) -> known)
        .thenApplyAsync(this::finished, threads);
  }

  private UploadBlobResponse finished(ModelFile file) {
    long there =
        blobs.size(file.getSha256()).isPresent()
            ? file.getSizeBytes()
            : pieces.received(file.getSha256());
    if (there >= file.getSizeBytes()) {
      pieces.finish(file.getSha256(), file.getSizeBytes());
    }
    return UploadBlobResponse.newBuilder().setReceivedBytes(there).build();
  }

  @Override
  public void end() {
    // What was written stays, for another call to go on from.
  }
}
