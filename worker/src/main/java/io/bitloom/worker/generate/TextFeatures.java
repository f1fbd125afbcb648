package io.bitloom.worker.generate;

import io.bitloom.v1.Prompt;
import io.bitloom.worker.tensor.PackedRows;
import io.bitloom.worker.text.TextEncoder;
import java.util.ArrayList;
import java.util.List;

/**
 * The text stage: features of a batch's prompts.
 *
 * @param prompts one sequence per image
 * @param negative likewise, of length 0 where there is no negative prompt; null if none has one
 */
record TextFeatures(PackedRows prompts, PackedRows negative) {

  /** Encodes the texts and the negative prompts of a batch together. */
  static TextFeatures encode(TextEncoder encoder, List<ImageRequest> batch, int maxLength) {
    List<Prompt> prompts = batch.stream().map(image -> image.work().prompt()).toList();
    List<String> texts = new ArrayList<>(batch.stream().map(image -> image.work().text()).toList());
    prompts.stream()
        .map(Prompt::getNegativePrompt)
        .filter(negative -> !negative.isEmpty())
        .forEach(texts::add);
    PackedRows encoded = encoder.encode(texts, maxLength);
    if (texts.size() == prompts.size()) {
      return new TextFeatures(encoded, null);
    }
    PackedRows given = encoded.slice(prompts.size(), texts.size());
    List<Integer> lengths = new ArrayList<>();
    int next = 0;
    for (Prompt prompt : prompts) {
      lengths.add(prompt.getNegativePrompt().isEmpty() ? 0 : given.lengths().get(next++));
    }
    return new TextFeatures(
        encoded.slice(0, prompts.size()), new PackedRows(given.rows(), lengths));
  }
}
