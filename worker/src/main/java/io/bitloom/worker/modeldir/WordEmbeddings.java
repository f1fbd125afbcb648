package io.bitloom.worker.modeldir;

import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.text.WordEmbeddingConfig;
import io.bitloom.worker.text.WordVocabulary;

/**
 * A text encoder of word embeddings in its parts, as training needs them.
 *
 * @param config architecture
 * @param vocabulary words that it knows
 * @param weights of the shapes of {@link WordEmbeddingConfig#layout}; the caller closes them
 */
public record WordEmbeddings(
    WordEmbeddingConfig config, WordVocabulary vocabulary, Weights weights) {}
