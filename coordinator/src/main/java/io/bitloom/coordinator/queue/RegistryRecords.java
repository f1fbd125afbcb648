package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What coordinators keep of the model registry, by names. Records are opaque to the queue. See
 * {@link JobQueue} for what all calls share.
 */
public interface RegistryRecords {

  /** What there are records of. */
  enum Kind {
    /** Versions and labels, by the model's name. */
    MODELS,
    /** What a version is made of, by the version's name. */
    MANIFESTS,
    /** Versions that workers shall have, by the name of their pool. */
    POOLS
  }

  /** Every record of a kind. */
  CompletionStage<Map<String, ByteString>> all(Kind kind);

  /** One record. */
  CompletionStage<Optional<ByteString>> get(Kind kind, String name);

  /**
   * Replaces a record, unless somebody else has changed it.
   *
   * @param before as it was read; empty: there was none
   * @param after as it is to be; empty: it is removed
   * @return whether that is done; if not, it is to be read again
   */
  CompletionStage<Boolean> revise(Kind kind, String name, ByteString before, ByteString after);
}
