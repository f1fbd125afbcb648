package io.bitloom.engine.modeldir;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** The parts of a model that have weights. */
public enum Role {
  TRANSFORMER("(block_chunks\\.\\d+\\.module\\.\\d+|blocks\\.\\d+)\\..*"),
  TOKENIZER("(encoder|decoder)\\.(conv_in|down|mid|up|norm_out|conv_out)\\b.*"),
  TEXT("(encoder|decoder)\\.(block|final_layer_norm|embed_tokens)\\..*|shared\\.weight");

  private final Pattern names;

  Role(String names) {
    this.names = Pattern.compile(names);
  }

  /** The part that most of these tensor names belong to; empty if they are of none. */
  public static Optional<Role> of(Collection<String> names) {
    return Arrays.stream(values())
        .filter(
            role -> names.stream().filter(role.names.asMatchPredicate()).count() * 2 > names.size())
        .findFirst();
  }

  /** The name in messages. */
  public String label() {
    return member().replace('_', ' ');
  }

  /** The name in {@code model.json}. */
  String member() {
    return this == TEXT ? "text_encoder" : name().toLowerCase(Locale.ROOT);
  }
}
