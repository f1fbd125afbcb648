package io.bitloom.client.sdk;

import io.bitloom.common.blobs.BlobDownload;
import io.bitloom.common.blobs.FileDigest;
import io.bitloom.common.blobs.GrpcBlobs;
import io.bitloom.common.blobs.HttpBlobs;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.model.ModelManifest;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.ModelVersion;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** A version on its way into a model directory, which has its {@code model.json} at last. */
final class ModelPull {

  private final ModelClient models;
  private final Path directory;
  private final ModelClient.Progress progress;
  private Map<String, String> urls = Map.of();
  private boolean fresh;

  ModelPull(ModelClient models, Path directory, ModelClient.Progress progress) {
    this.models = models;
    this.directory = directory;
    this.progress = progress;
  }

  ModelVersion run(String name) throws IOException {
    GetVersionResponse version = models.get(name);
    byte[] json = version.getManifest().getDescription().toByteArray();
    ModelManifest manifest = ModelManifest.parse(json);
    if (!manifest.digest().equals(version.getVersion().getDigest())) {
      throw new BitloomException(
          ErrorCode.RESULT_CORRUPT, "the model.json that came has the digest " + manifest.digest());
    }
    requireOwnPlace(json);
    Map<String, Long> sizes =
        version.getManifest().getFilesList().stream()
            .collect(Collectors.toMap(ModelFile::getName, ModelFile::getSizeBytes));
    urls = version.getUrlsMap();
    // Names are those of the model.json, which were looked at, and not those that came beside it.
    for (Map.Entry<String, String> file : manifest.files().entrySet()) {
      Long size = sizes.get(file.getKey());
      if (size == null) {
        throw new BitloomException(
            ErrorCode.RESULT_CORRUPT, "nothing was said of the size of " + file.getKey());
      }
      bring(version.getVersion().getName(), file.getKey(), file.getValue(), size);
    }
    WholeFile.write(directory.resolve(ModelManifest.FILE), json);
    return version.getVersion();
  }

  private void requireOwnPlace(byte[] json) throws IOException {
    Path description = directory.resolve(ModelManifest.FILE);
    if (Files.exists(description) && !Arrays.equals(Files.readAllBytes(description), json)) {
      throw BitloomException.invalid(
          "directory", directory, "must be empty or have the same version");
    }
    Files.createDirectories(directory);
  }

  private void bring(String version, String name, String sha256, long size) throws IOException {
    Path file = directory.resolve(name);
    if (Files.exists(file)) {
      if (Files.size(file) == size && FileDigest.of(file).equals(sha256)) {
        progress.at(name, size, size);
        return;
      }
      throw BitloomException.invalid("directory", file, "must not be there with other bytes");
    }
    Files.createDirectories(file.getParent());
    fresh = true;
    BlobDownload.bring(
        file,
        sha256,
        size,
        offset -> source(version, sha256, offset),
        bytes -> progress.at(name, bytes, size));
  }

  /** A URL works for an hour: what is tried again, is tried by a new one. */
  private InputStream source(String version, String sha256, long offset) throws IOException {
    if (!fresh) {
      urls = models.get(version).getUrlsMap();
    }
    fresh = false;
    String url = urls.get(sha256);
    return url == null
        ? GrpcBlobs.read(models.channel(), version, sha256, offset)
        : HttpBlobs.read(URI.create(url), offset);
  }
}
