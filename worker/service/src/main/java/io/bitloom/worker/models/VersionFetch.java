package io.bitloom.worker.models;

import io.bitloom.common.model.ModelManifest;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.ModelFile;
import java.io.IOException;
import java.util.Map;
import java.util.stream.Collectors;

/** Brings versions from coordinators into the cache. */
final class VersionFetch implements AutoCloseable {

  private final RegistryCalls registry;
  private final ModelCache cache;

  VersionFetch(RegistryCalls registry, ModelCache cache) {
    this.registry = registry;
    this.cache = cache;
  }

  /** Is told now and then how much is there. */
  interface Progress {
    void at(long bytes, long of);
  }

  /**
   * Opens a version, once all of it is there.
   *
   * @param progress what it throws ends the download
   * @throws IOException if no coordinator has it, a file does not come, or there is no room for it
   * @throws io.bitloom.common.error.BitloomException if what comes is not what it should be
   */
  ModelCache.Held version(String name, Progress progress) throws IOException {
    GetVersionResponse version = registry.version(name);
    byte[] json = version.getManifest().getDescription().toByteArray();
    String came = ModelManifest.parse(json).versionName();
    if (!came.equals(name)) {
      throw new IOException("the model.json that came is that of " + came);
    }
    Map<String, Long> sizes =
        version.getManifest().getFilesList().stream()
            .collect(Collectors.toMap(ModelFile::getName, ModelFile::getSizeBytes));
    long all = sizes.values().stream().mapToLong(Long::longValue).sum();
    progress.at(0, all);
    return cache.open(
        json,
        sizes,
        (sha256, offset) -> registry.open(name, sha256, offset),
        bytes -> progress.at(bytes, all));
  }

  @Override
  public void close() {
    registry.close();
  }
}
