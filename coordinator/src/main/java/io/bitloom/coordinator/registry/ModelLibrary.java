package io.bitloom.coordinator.registry;

import com.google.protobuf.Timestamp;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.model.VersionName;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.jobs.ModelsInUse;
import io.bitloom.coordinator.jobs.ResponseSink;
import io.bitloom.coordinator.jobs.Upload;
import io.bitloom.coordinator.models.ModelVersions;
import io.bitloom.coordinator.results.BlobStore;
import io.bitloom.v1.CommitVersionRequest;
import io.bitloom.v1.CreateVersionResponse;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.ModelFile;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.PoolModels;
import io.bitloom.v1.ReadBlobRequest;
import io.bitloom.v1.ReadBlobResponse;
import io.bitloom.v1.RegisteredModel;
import io.bitloom.v1.UploadBlobRequest;
import io.bitloom.v1.UploadBlobResponse;
import io.bitloom.v1.VersionManifest;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The models that a cluster keeps. What is wrong with a request fails with {@code INVALID_FIELD}, a
 * change by somebody who is no operator with {@code PERMISSION_DENIED}, and a version that is not
 * there with {@code MODEL_NOT_FOUND}.
 */
public final class ModelLibrary {

  private static final String VERSION = "version";

  private final ModelVersions versions;
  private final PoolsOfModels pools;
  private final BlobStore blobs;
  private final ModelsInUse inUse;
  private final UnusedFiles unused;
  private final Executor threads;

  /**
   * @param threads where the store is called
   */
  public ModelLibrary(
      ModelVersions versions,
      PoolsOfModels pools,
      BlobStore blobs,
      ModelsInUse inUse,
      Executor threads) {
    this.versions = versions;
    this.pools = pools;
    this.blobs = blobs;
    this.inUse = inUse;
    this.unused = new UnusedFiles(versions, blobs, threads);
    this.threads = threads;
  }

  /** Begins a version, or goes on with it. */
  public CompletionStage<CreateVersionResponse> create(Caller caller, VersionManifest manifest) {
    requireOperator(caller);
    NewVersion version = NewVersion.of(manifest, blobs);
    return versions
        .change(version.model(), before -> version.addedTo(before, now()))
        .thenCompose(model -> keepManifest(version, model))
        .thenApplyAsync(begun -> version.response(begun, blobs), threads);
  }

  private CompletionStage<ModelVersion> keepManifest(NewVersion version, RegisteredModel model) {
    ModelVersion begun = version.in(model);
    return versions.putManifest(begun.getName(), version.manifest()).thenApply(done -> begun);
  }

  /** Brings a file of a version. */
  public Upload<UploadBlobRequest, UploadBlobResponse> upload(Caller caller) {
    requireOperator(caller);
    BlobStore.Pieces pieces =
        blobs
            .pieces()
            .orElseThrow(
                () ->
                    BitloomException.invalid(
                        "sha256", "", "must be put to the URL that CreateVersion gives"));
    return new BlobUpload(versions, blobs, pieces, threads);
  }

  /** Ends a version. Fails with {@code MODEL_INCOMPLETE} if a file is missing. */
  public CompletionStage<ModelVersion> commit(Caller caller, CommitVersionRequest request) {
    requireOperator(caller);
    request.getLabelsList().forEach(label -> ModelChanges.requireLabel("labels", label));
    String name = request.getVersion();
    VersionName wanted = VersionName.parse(VERSION, name);
    return versions
        .manifest(name)
        .thenAcceptAsync(manifest -> manifest.getFilesList().forEach(this::confirm), threads)
        .thenCompose(
            there ->
                versions.change(
                    wanted.model(),
                    model -> ModelChanges.committed(model, name, request.getLabelsList(), now())))
        .thenApply(model -> ModelChanges.version(model, name));
  }

  private void confirm(ModelFile file) {
    try {
      blobs.confirm(file.getSha256(), file.getSizeBytes());
    } catch (BitloomException e) {
      if (e.code() == ErrorCode.RESULT_CORRUPT) {
        blobs.delete(file.getSha256());
      }
      boolean incomplete =
          e.code() == ErrorCode.RESULT_MISSING || e.code() == ErrorCode.RESULT_CORRUPT;
      throw incomplete
          ? new BitloomException(
              ErrorCode.MODEL_INCOMPLETE,
              file.getName() + " is missing: " + e.getMessage(),
              VERSION,
              file.getName())
          : e;
    }
  }

  /**
   * Models with their versions, by name.
   *
   * @param model the only one that is wanted; empty: all
   */
  public CompletionStage<Collection<RegisteredModel>> list(String model) {
    return model.isEmpty()
        ? versions.all().thenApply(models -> List.copyOf(models.values()))
        : versions
            .model(VersionName.parse("model", model).model())
            .thenApply(found -> found.getVersionsCount() == 0 ? List.of() : List.of(found));
  }

  /** All of a version, and where its files are. */
  public CompletionStage<GetVersionResponse> get(String name) {
    return versions
        .find(VERSION, name)
        .thenCompose(
            version ->
                versions
                    .manifest(version.getName())
                    .thenApply(manifest -> response(version, manifest)));
  }

  private GetVersionResponse response(ModelVersion version, VersionManifest manifest) {
    GetVersionResponse.Builder response =
        GetVersionResponse.newBuilder().setVersion(version).setManifest(manifest);
    blobs
        .urls()
        .ifPresent(
            urls ->
                manifest
                    .getFilesList()
                    .forEach(
                        file ->
                            response.putUrls(
                                file.getSha256(), urls.download(file.getSha256()).toString())));
    return response.build();
  }

  /** Reads a file of a version. */
  public void read(ReadBlobRequest request, ResponseSink<ReadBlobResponse> sink) {
    new BlobReading(blobs, request, sink, threads).start(versions);
  }

  /** Lets a label point to a version. */
  public CompletionStage<RegisteredModel> setLabel(Caller caller, String name, String label) {
    requireOperator(caller);
    ModelChanges.requireLabel("label", label);
    return versions
        .find(VERSION, name)
        .thenCompose(
            version ->
                versions.change(
                    version.getModel(),
                    model -> ModelChanges.labelled(model, version.getName(), label)));
  }

  /** Takes a label away; without effect if there is none. */
  public CompletionStage<RegisteredModel> deleteLabel(Caller caller, String model, String label) {
    requireOperator(caller);
    return versions.change(
        VersionName.parse("model", model).model(),
        before -> before.toBuilder().removeLabels(label).build());
  }

  /** Has the workers of a pool have a version. */
  public CompletionStage<PoolModels> load(Caller caller, String pool, String name) {
    requireOperator(caller);
    return versions.find(VERSION, name).thenCompose(version -> pools.load(pool, version.getName()));
  }

  /** Has the workers of a pool have a version no more, even one of which nothing else is known. */
  public CompletionStage<PoolModels> unload(Caller caller, String pool, String name) {
    requireOperator(caller);
    VersionName wanted = VersionName.parse(VERSION, name);
    CompletionStage<String> version =
        wanted.digest().isPresent()
            ? CompletableFuture.completedStage(
                VersionName.of(wanted.model(), wanted.digest().get()))
            : versions.find(VERSION, name).thenApply(ModelVersion::getName);
    return version.thenCompose(found -> pools.unload(pool, found));
  }

  /** What pools have, and shall have; of one model or of all. */
  public CompletionStage<Collection<PoolModels>> pools(String model) {
    return pools.all(version -> model.isEmpty() || VersionName.modelOf(version).equals(model));
  }

  /**
   * Deletes a version, and the files that no other one has. Fails with {@code MODEL_IN_USE} while a
   * job names it that has not ended, or a pool shall have it.
   */
  public CompletionStage<Void> delete(Caller caller, String name) {
    requireOperator(caller);
    VersionName wanted = VersionName.parse(VERSION, name);
    if (wanted.digest().isEmpty()) {
      throw BitloomException.invalid(VERSION, name, "must be NAME@DIGEST");
    }
    return versions
        .model(wanted.model())
        .thenApply(model -> ModelChanges.begun(model, wanted))
        .thenCompose(
            version ->
                inUse
                    .names()
                    .thenCombine(
                        pools.wanted(), (jobs, byPools) -> requireUnused(version, jobs, byPools))
                    .thenCompose(free -> forget(version)))
        .thenCompose(done -> unused.delete());
  }

  private static ModelVersion requireUnused(
      ModelVersion version, Collection<String> byJobs, Collection<String> byPools) {
    String name = version.getName();
    if (byJobs.contains(name)) {
      throw new BitloomException(
          ErrorCode.MODEL_IN_USE, "a job that has not ended names " + name, VERSION, name);
    }
    if (byPools.contains(name)) {
      throw new BitloomException(
          ErrorCode.MODEL_IN_USE,
          "a pool of workers is to have " + name + ": unload it there first",
          VERSION,
          name);
    }
    return version;
  }

  private CompletionStage<Void> forget(ModelVersion version) {
    return versions
        .change(version.getModel(), model -> ModelChanges.without(model, version.getName()))
        .thenCompose(done -> versions.deleteManifest(version.getName()));
  }

  /**
   * Deletes what was begun and not ended for a day, and files that no version has; now and then.
   */
  public CompletionStage<Void> sweep() {
    return unused.sweep();
  }

  private static void requireOperator(Caller caller) {
    if (!caller.is(Caller.Role.OPERATOR)) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED, "only operators may change the model registry");
    }
  }

  private static Timestamp now() {
    return Timestamp.newBuilder().setSeconds(Instant.now().getEpochSecond()).build();
  }
}
