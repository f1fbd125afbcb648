package io.bitloom.coordinator.registry;

import com.google.protobuf.Timestamp;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.model.ModelManifest;
import io.bitloom.common.prompt.PromptMessages;
import io.bitloom.common.results.ImageUpload;
import io.bitloom.coordinator.results.BlobStore;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.MissingBlob;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.RegisteredModel;
import io.bitloom.v1.VersionManifest;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * A version that somebody wants to bring.
 *
 * @param manifest as it came
 * @param described what {@code model.json} says
 */
record NewVersion(VersionManifest manifest, ModelManifest described) {

  private static final int MOST_VERSIONS = 64;
  private static final long MOST_BYTES = 1L << 40;

  /** What S3 takes by one request. */
  private static final long MOST_BYTES_OF_URL = 5L << 30;

  /**
   * Checks what came.
   *
   * @throws BitloomException {@code INVALID_FIELD} with what is wrong
   */
  static NewVersion of(VersionManifest manifest, BlobStore blobs) {
    ModelManifest described = ModelManifest.parse(manifest.getDescription().toByteArray());
    Map<String, String> came = new HashMap<>();
    for (int i = 0; i < manifest.getFilesCount(); i++) {
      ModelFile file = manifest.getFiles(i);
      String field = "manifest.files[" + i + "]";
      if (!file.getSha256().equals(described.files().get(file.getName()))) {
        throw BitloomException.invalid(
            field, file.getName() + " " + file.getSha256(), "must be as model.json says");
      }
      long most = blobs.urls().isPresent() ? MOST_BYTES_OF_URL : MOST_BYTES;
      if (file.getSizeBytes() < 0 || file.getSizeBytes() > most) {
        throw BitloomException.invalid(
            field + ".size_bytes",
            file.getSizeBytes(),
            "must be 0 to " + most + "; larger weights come in shards");
      }
      if (came.put(file.getName(), file.getSha256()) != null) {
        throw BitloomException.invalid(field, file.getName(), "must come once");
      }
    }
    if (came.size() != described.files().size()) {
      throw BitloomException.invalid(
          "manifest.files",
          came.size() + " files",
          "must be all " + described.files().size() + " that model.json names");
    }
    return new NewVersion(manifest, described);
  }

  String model() {
    return described.name();
  }

  /**
   * The model with this version, which may be there already.
   *
   * @throws BitloomException {@code INVALID_FIELD} if there are too many
   */
  RegisteredModel addedTo(RegisteredModel model, Timestamp now) {
    if (model.getVersionsList().stream().anyMatch(this::isNamesake)) {
      in(model);
      return model;
    }
    if (model.getVersionsCount() >= MOST_VERSIONS) {
      throw BitloomException.invalid(
          "manifest", described.versionName(), "must be one of at most " + MOST_VERSIONS);
    }
    return model.toBuilder()
        .addVersions(
            ModelVersion.newBuilder()
                .setName(described.versionName())
                .setModel(described.name())
                .setDigest(described.digest())
                .setDescription(described.description())
                .addAllSizes(described.sizes())
                .setDefaults(PromptMessages.message(described.defaults()))
                .setBlocks(described.blocks())
                .setSizeBytes(
                    manifest.getFilesList().stream().mapToLong(ModelFile::getSizeBytes).sum())
                .setFiles(manifest.getFilesCount())
                .setCreateTime(now))
        .build();
  }

  private boolean isNamesake(ModelVersion version) {
    return version.getName().equals(described.versionName());
  }

  /**
   * This version, as a model has it.
   *
   * @throws BitloomException {@code MODEL_DIFFERS} if another one has the same first digits
   */
  ModelVersion in(RegisteredModel model) {
    ModelVersion namesake =
        model.getVersionsList().stream().filter(this::isNamesake).findFirst().orElseThrow();
    if (!namesake.getDigest().equals(described.digest())) {
      throw new BitloomException(
          ErrorCode.MODEL_DIFFERS,
          "version " + namesake.getName() + " is there with digest " + namesake.getDigest());
    }
    return namesake;
  }

  /** Says which files are missing; blocks. */
  CreateVersionResponse response(ModelVersion version, BlobStore blobs) {
    Map<String, MissingBlob> missing = new TreeMap<>();
    for (ModelFile file : manifest.getFilesList()) {
      OptionalLong size = blobs.size(file.getSha256());
      if (size.isEmpty()) {
        missing.putIfAbsent(file.getSha256(), missing(file, blobs));
      } else if (size.getAsLong() != file.getSizeBytes()) {
        throw BitloomException.invalid(
            "manifest.files.size_bytes",
            file.getSizeBytes(),
            "must be " + size.getAsLong() + ", which " + file.getSha256() + " has");
      }
    }
    long toCome =
        missing.values().stream()
            .mapToLong(blob -> blob.getSizeBytes() - blob.getReceivedBytes())
            .sum();
    blobs
        .pieces()
        .filter(pieces -> pieces.room() < toCome)
        .ifPresent(
            pieces -> {
              throw BitloomException.invalid(
                  "manifest.files",
                  toCome + " bytes",
                  "must fit into the " + pieces.room() + " bytes that are free");
            });
    return CreateVersionResponse.newBuilder()
        .setVersion(version)
        .addAllMissing(missing.values())
        .build();
  }

  private static MissingBlob missing(ModelFile file, BlobStore blobs) {
    MissingBlob.Builder missing =
        MissingBlob.newBuilder().setSha256(file.getSha256()).setSizeBytes(file.getSizeBytes());
    blobs.pieces().ifPresent(pieces -> missing.setReceivedBytes(pieces.received(file.getSha256())));
    blobs
        .urls()
        .ifPresent(
            urls -> {
              ImageUpload upload = urls.upload(file.getSha256(), file.getSizeBytes());
              missing.setUrl(upload.url().toString()).putAllHeaders(upload.headers());
            });
    return missing.build();
  }
}
