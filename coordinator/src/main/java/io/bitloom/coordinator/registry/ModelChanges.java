package io.bitloom.coordinator.registry;

import com.google.protobuf.Timestamp;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.model.VersionName;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.RegisteredModel;
import java.util.List;

/** What becomes of a model's record when its versions and labels change. */
final class ModelChanges {

  private static final String VERSION = "version";
  private static final int MOST_LABELS = 64;

  private ModelChanges() {}

  /** The model, of which all of a version is there now, and labels point to it. */
  static RegisteredModel committed(
      RegisteredModel model, String name, List<String> labels, Timestamp now) {
    ModelVersion begun = version(model, name);
    RegisteredModel.Builder changed = model.toBuilder();
    if (!begun.hasCommitTime()) {
      int at = model.getVersionsList().indexOf(begun);
      changed.setVersions(at, begun.toBuilder().setCommitTime(now));
    }
    labels.forEach(label -> changed.putLabels(label, name));
    requireFewLabels(changed);
    return changed.build();
  }

  /**
   * A version of a model, be it committed or not.
   *
   * @throws BitloomException {@code MODEL_NOT_FOUND}
   */
  static ModelVersion version(RegisteredModel model, String name) {
    return model.getVersionsList().stream()
        .filter(version -> version.getName().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BitloomException(
                    ErrorCode.MODEL_NOT_FOUND, "nobody has begun version " + name, VERSION, name));
  }

  /** The model with a label that points to one of its versions. */
  static RegisteredModel labelled(RegisteredModel model, String version, String label) {
    RegisteredModel.Builder changed =
        model.toBuilder().putLabels(label, version(model, version).getName());
    requireFewLabels(changed);
    return changed.build();
  }

  private static void requireFewLabels(RegisteredModel.Builder model) {
    if (model.getLabelsCount() > MOST_LABELS) {
      throw BitloomException.invalid(
          "label", model.getLabelsCount() + " labels", "must be one of at most " + MOST_LABELS);
    }
  }

  /**
   * The version of a digest, be it committed or not.
   *
   * @throws BitloomException {@code MODEL_NOT_FOUND}
   */
  static ModelVersion begun(RegisteredModel model, VersionName wanted) {
    String digits = wanted.digest().orElseThrow();
    return model.getVersionsList().stream()
        .filter(version -> version.getDigest().startsWith("sha256:" + digits))
        .findFirst()
        .orElseThrow(
            () ->
                new BitloomException(
                    ErrorCode.MODEL_NOT_FOUND,
                    "the registry has no " + wanted,
                    VERSION,
                    wanted.toString()));
  }

  /** A model without one of its versions and without the labels that point to it. */
  static RegisteredModel without(RegisteredModel model, String version) {
    RegisteredModel.Builder left = model.toBuilder().clearVersions().clearLabels();
    model.getVersionsList().stream()
        .filter(kept -> !kept.getName().equals(version))
        .forEach(left::addVersions);
    model
        .getLabelsMap()
        .forEach(
            (label, pointsTo) -> {
              if (!pointsTo.equals(version)) {
                left.putLabels(label, pointsTo);
              }
            });
    return left.build();
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} if a text cannot be a label
   */
  static void requireLabel(String field, String label) {
    if (!VersionName.isLabel(label)) {
      throw BitloomException.invalid(
          field,
          label,
          "must be letters, digits, dots, dashes and underscores, a letter first, at most 63, and"
              + " not what could be a digest");
    }
  }
}
