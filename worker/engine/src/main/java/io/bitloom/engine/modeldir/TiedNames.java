package io.bitloom.engine.modeldir;

import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.CheckpointEntry;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.tokenizer.TokenizerNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tensors that a file holds under two names. The one that the architecture does not have says
 * nothing new, and is left away.
 */
final class TiedNames {
  private record Data(Object file, long position, Object dtype, List<Long> shape) {
    private static Data of(CheckpointEntry entry) {
      return new Data(entry.file(), entry.position(), entry.dtype(), entry.shape());
    }
  }

  private TiedNames() {}

  /**
   * The checkpoint with each tensor under the names that the architecture has.
   *
   * @param layout names of the architecture
   */
  static Checkpoint leftAway(Checkpoint checkpoint, Role role, Set<String> layout) {
    List<CheckpointEntry> entries = checkpoint.entries();
    Map<Data, String> wanted = new LinkedHashMap<>();
    for (CheckpointEntry entry : entries) {
      if (layout.contains(official(role, entry)) && entry.isStored()) {
        wanted.put(Data.of(entry), entry.name());
      }
    }
    List<String> kept = new ArrayList<>();
    for (CheckpointEntry entry : entries) {
      if (layout.contains(official(role, entry)) || !wanted.containsKey(Data.of(entry))) {
        kept.add(entry.name());
      }
    }
    return kept.size() == entries.size() ? checkpoint : Checkpoints.part(checkpoint, kept);
  }

  private static String official(Role role, CheckpointEntry entry) {
    return role == Role.TOKENIZER ? TokenizerNames.official(entry.name()) : entry.name();
  }
}
