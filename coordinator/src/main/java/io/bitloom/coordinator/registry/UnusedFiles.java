package io.bitloom.coordinator.registry;

import io.bitloom.coordinator.models.ModelVersions;
import io.bitloom.coordinator.results.BlobStore;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.RegisteredModel;
import io.bitloom.v1.VersionManifest;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes files that no version has. What the store has is listed before it is read what versions
 * have, so that a file which comes in between is left alone. Any number of coordinators may do this
 * at once.
 */
final class UnusedFiles {

  private static final Logger log = LoggerFactory.getLogger(UnusedFiles.class);

  /** What is not committed after so long is given up. */
  private static final Duration UNFINISHED = Duration.ofDays(1);

  private final ModelVersions versions;
  private final BlobStore blobs;
  private final Executor threads;

  UnusedFiles(ModelVersions versions, BlobStore blobs, Executor threads) {
    this.versions = versions;
    this.blobs = blobs;
    this.threads = threads;
  }

  /**
   * {@link #delete}, after versions were given up that were begun long ago. A registry without any
   * model is left alone: a Redis that lost its data has not lost the files.
   */
  CompletionStage<Void> sweep() {
    return versions
        .all()
        .thenCompose(
            models ->
                models.isEmpty()
                    ? CompletableFuture.<Void>completedStage(null)
                    : giveUp(models.values()).thenCompose(done -> delete()))
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                log.warn("Files of models are looked through later: {}", e.toString());
              }
            });
  }

  private CompletionStage<Void> giveUp(Collection<RegisteredModel> models) {
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    long before = Instant.now().minus(UNFINISHED).getEpochSecond();
    for (RegisteredModel model : models) {
      for (ModelVersion version : model.getVersionsList()) {
        if (!version.hasCommitTime() && version.getCreateTime().getSeconds() < before) {
          log.info("Version {} was begun long ago and is given up", version.getName());
          done = done.thenCompose(next -> giveUp(version));
        }
      }
    }
    return done;
  }

  private CompletionStage<Void> giveUp(ModelVersion version) {
    return versions
        .change(
            version.getModel(),
            model ->
                model.getVersionsList().contains(version)
                    ? ModelChanges.without(model, version.getName())
                    : model)
        .thenApply(done -> null);
  }

  /** Deletes files that no version has. */
  CompletionStage<Void> delete() {
    return CompletableFuture.supplyAsync(blobs::all, threads)
        .thenCompose(
            there ->
                versions
                    .all()
                    .thenCompose(
                        models ->
                            versions
                                .manifests()
                                .thenCompose(manifests -> delete(there, models, manifests))));
  }

  private CompletionStage<Void> delete(
      Collection<String> there,
      Map<String, RegisteredModel> models,
      Map<String, VersionManifest> manifests) {
    Set<String> used = new HashSet<>();
    for (RegisteredModel model : models.values()) {
      for (ModelVersion version : model.getVersionsList()) {
        VersionManifest manifest = manifests.get(version.getName());
        if (manifest != null) {
          manifest.getFilesList().stream().map(ModelFile::getSha256).forEach(used::add);
        } else if (version.hasCommitTime()) {
          log.error("Nothing says which files {} has: none is deleted", version.getName());
          return CompletableFuture.completedStage(null);
        }
      }
    }
    return forget(models, manifests)
        .thenRunAsync(
            () -> there.stream().filter(file -> !used.contains(file)).forEach(this::delete),
            threads);
  }

  /** Takes away what is known of versions that are gone. */
  private CompletionStage<Void> forget(
      Map<String, RegisteredModel> models, Map<String, VersionManifest> manifests) {
    Set<String> names = new HashSet<>();
    models
        .values()
        .forEach(model -> model.getVersionsList().forEach(version -> names.add(version.getName())));
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    for (String name : manifests.keySet()) {
      if (!names.contains(name)) {
        done = done.thenCompose(next -> versions.deleteManifest(name));
      }
    }
    return done;
  }

  private void delete(String file) {
    log.info("File {} is deleted: no version has it", file);
    blobs.delete(file);
  }
}
