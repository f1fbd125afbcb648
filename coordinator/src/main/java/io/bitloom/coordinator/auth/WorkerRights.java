package io.bitloom.coordinator.auth;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.model.VersionName;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * What the workers of one token may be. Whatever they make theirs, such as a worker id, belongs to
 * the token.
 *
 * @param token its SHA-256; empty where callers are not told apart
 * @param workers ids of workers
 * @param models that workers may bring, each with the digest that it must have, or {@code *}
 * @param groups of training processes
 */
public record WorkerRights(
    String token,
    List<NamePattern> workers,
    Map<NamePattern, String> models,
    List<NamePattern> groups) {

  static final String ANY_DIGEST = "*";

  /** The rights of a token that may be any worker. */
  public static WorkerRights unrestricted(String token) {
    return new WorkerRights(
        token,
        List.of(NamePattern.ANY),
        Map.of(NamePattern.ANY, ANY_DIGEST),
        List.of(NamePattern.ANY));
  }

  /**
   * @throws BitloomException {@code PERMISSION_DENIED} if the token may not be that worker
   */
  public void checkWorker(String id) {
    check("worker", id, workers);
  }

  /**
   * @throws BitloomException {@code PERMISSION_DENIED} if workers of the token may not bring that
   *     model, or not with that digest
   */
  public void checkModel(String name, String digest) {
    check("model", name, models.keySet());
    List<String> digests =
        models.entrySet().stream()
            .filter(model -> model.getKey().matches(name))
            .map(Map.Entry::getValue)
            .toList();
    if (!digests.contains(ANY_DIGEST) && !digests.contains(digest)) {
      throw denied(
          "model",
          name,
          "must have the digest "
              + String.join(" or ", digests)
              + ", not "
              + FieldViolation.shown(digest));
    }
  }

  /** Whether workers of the token may have a version that the cluster keeps. */
  public boolean mayHave(String version) {
    String name = VersionName.modelOf(version);
    return models.entrySet().stream()
        .filter(model -> model.getKey().matches(name))
        .map(Map.Entry::getValue)
        .anyMatch(
            digest ->
                digest.equals(ANY_DIGEST)
                    || VersionName.isDigest(digest)
                        && VersionName.of(name, digest).equals(version));
  }

  /**
   * @throws BitloomException {@code PERMISSION_DENIED} if processes of the token may not meet there
   */
  public void checkGroup(String group) {
    check("training group", group, groups);
  }

  private static void check(String what, String name, Collection<NamePattern> allowed) {
    if (!NamePattern.anyMatches(allowed, name)) {
      throw denied(what, name, "is not one of this token: " + NamePattern.allowed(allowed));
    }
  }

  private static BitloomException denied(String what, String name, String message) {
    return new BitloomException(
        ErrorCode.PERMISSION_DENIED, what + " \"" + FieldViolation.shown(name) + "\" " + message);
  }
}
