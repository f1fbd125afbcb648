package io.bitloom.coordinator.models;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.model.VersionName;
import io.bitloom.coordinator.queue.RegistryRecords;
import io.bitloom.coordinator.queue.RegistryRecords.Kind;
import io.bitloom.v1.Model;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.RegisteredModel;
import io.bitloom.v1.VersionManifest;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;

/**
 * The records of the model registry: which versions of which models there are, and what labels
 * point to. A version that is not committed is not there for anybody but whoever brings it.
 */
public final class ModelVersions {

  /** So many coordinators do not change one model at the same moment. */
  private static final int ATTEMPTS = 50;

  private final RegistryRecords records;

  public ModelVersions(RegistryRecords records) {
    this.records = records;
  }

  /** Every model by name, versions that are not committed included. */
  public CompletionStage<Map<String, RegisteredModel>> all() {
    return records
        .all(Kind.MODELS)
        .thenApply(
            found -> {
              Map<String, RegisteredModel> models = new TreeMap<>();
              found.forEach((name, bytes) -> models.put(name, model(bytes)));
              return models;
            });
  }

  /** A model with its versions; without any if there is none of this name. */
  public CompletionStage<RegisteredModel> model(String name) {
    return records
        .get(Kind.MODELS, name)
        .thenApply(bytes -> bytes.map(ModelVersions::model).orElseGet(() -> none(name)));
  }

  private static RegisteredModel none(String name) {
    return RegisteredModel.newBuilder().setName(name).build();
  }

  private static RegisteredModel model(ByteString bytes) {
    try {
      return RegisteredModel.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("a record of the model registry is broken", e);
    }
  }

  /**
   * Changes a model. One that has no versions then is gone.
   *
   * @param change is given the model as it is, and is called again if another coordinator has
   *     changed it in between; what it throws is what the call fails with
   * @return the model as it is then
   */
  public CompletionStage<RegisteredModel> change(
      String name, UnaryOperator<RegisteredModel> change) {
    return change(name, change, ATTEMPTS);
  }

  private CompletionStage<RegisteredModel> change(
      String name, UnaryOperator<RegisteredModel> change, int attempts) {
    return records
        .get(Kind.MODELS, name)
        .thenCompose(
            found -> {
              ByteString before = found.orElse(ByteString.EMPTY);
              RegisteredModel was = found.map(ModelVersions::model).orElseGet(() -> none(name));
              RegisteredModel is = change.apply(was);
              if (is.equals(was)) {
                return CompletableFuture.completedStage(is);
              }
              ByteString after = is.getVersionsCount() == 0 ? ByteString.EMPTY : is.toByteString();
              return records
                  .revise(Kind.MODELS, name, before, after)
                  .thenCompose(done -> done ? done(is) : again(name, change, attempts - 1));
            });
  }

  private static CompletionStage<RegisteredModel> done(RegisteredModel model) {
    return CompletableFuture.completedStage(model);
  }

  private CompletionStage<RegisteredModel> again(
      String name, UnaryOperator<RegisteredModel> change, int attempts) {
    return attempts > 0
        ? change(name, change, attempts)
        : CompletableFuture.failedStage(
            new BitloomException(
                ErrorCode.QUEUE_UNAVAILABLE,
                "model " + name + " is being changed by others all the time"));
  }

  /** What a version is made of. Fails with {@code MODEL_NOT_FOUND}. */
  public CompletionStage<VersionManifest> manifest(String version) {
    return records
        .get(Kind.MANIFESTS, version)
        .thenApply(
            bytes ->
                bytes
                    .map(ModelVersions::manifest)
                    .orElseThrow(() -> notFound("there is no version ", version)));
  }

  private static VersionManifest manifest(ByteString bytes) {
    try {
      return VersionManifest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("a record of the model registry is broken", e);
    }
  }

  /** What every version is made of, by its name. */
  public CompletionStage<Map<String, VersionManifest>> manifests() {
    return records
        .all(Kind.MANIFESTS)
        .thenApply(
            found -> {
              Map<String, VersionManifest> manifests = new TreeMap<>();
              found.forEach((name, bytes) -> manifests.put(name, manifest(bytes)));
              return manifests;
            });
  }

  /** Keeps what a version is made of, in place of what was kept before. */
  public CompletionStage<Void> putManifest(String version, VersionManifest manifest) {
    return replaceManifest(version, manifest.toByteString());
  }

  /** Forgets what a version is made of. */
  public CompletionStage<Void> deleteManifest(String version) {
    return replaceManifest(version, ByteString.EMPTY);
  }

  private CompletionStage<Void> replaceManifest(String version, ByteString after) {
    return records
        .get(Kind.MANIFESTS, version)
        .thenCompose(
            before ->
                records.revise(Kind.MANIFESTS, version, before.orElse(ByteString.EMPTY), after))
        .thenApply(done -> null);
  }

  /**
   * The version that a name means. Fails with {@code MODEL_NOT_FOUND}, or with {@code
   * INVALID_FIELD} if the name is none.
   */
  public CompletionStage<ModelVersion> find(String field, String name) {
    VersionName wanted = VersionName.parse(field, name);
    return model(wanted.model()).thenApply(model -> find(field, model, wanted));
  }

  /**
   * @throws BitloomException {@code MODEL_NOT_FOUND}, which says what there is
   */
  static ModelVersion find(String field, RegisteredModel model, VersionName wanted) {
    return committed(model, wanted)
        .orElseThrow(
            () ->
                new BitloomException(
                    ErrorCode.MODEL_NOT_FOUND, instead(model, wanted), field, wanted.toString()));
  }

  private static String instead(RegisteredModel model, VersionName wanted) {
    if (model.getVersionsList().stream().noneMatch(ModelVersion::hasCommitTime)) {
      return "the registry has no model \"" + FieldViolation.shown(model.getName()) + "\"";
    }
    return "the registry has no "
        + FieldViolation.shown(wanted.toString())
        + "; labels: "
        + String.join(", ", new TreeMap<>(model.getLabelsMap()).keySet())
        + "; versions: "
        + String.join(
            ", ",
            model.getVersionsList().stream()
                .filter(ModelVersion::hasCommitTime)
                .map(ModelVersion::getName)
                .toList());
  }

  /** The version of a model that a name means, if it is there and all of it is. */
  static Optional<ModelVersion> committed(RegisteredModel model, VersionName wanted) {
    Optional<String> digest = wanted.digest();
    String labelled = model.getLabelsOrDefault(wanted.label(), "");
    return model.getVersionsList().stream()
        .filter(ModelVersion::hasCommitTime)
        .filter(
            version ->
                digest
                    .map(digits -> version.getDigest().startsWith("sha256:" + digits))
                    .orElseGet(() -> version.getName().equals(labelled)))
        .findFirst();
  }

  private static BitloomException notFound(String message, String version) {
    return new BitloomException(
        ErrorCode.MODEL_NOT_FOUND,
        message + FieldViolation.shown(version) + " in the registry",
        "version",
        version);
  }

  /** A version as those see it who look for what can be drawn with. */
  static Model described(ModelVersion version) {
    return Model.newBuilder()
        .setName(version.getName())
        .setDigest(version.getDigest())
        .setDescription(version.getDescription())
        .addAllSizes(version.getSizesList())
        .setDefaults(version.getDefaults())
        .setBlocks(version.getBlocks())
        .build();
  }
}
