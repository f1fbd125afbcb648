package io.bitloom.engine.modeldir;

import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.WordEmbeddingConfig;
import io.bitloom.engine.text.WordVocabulary;

/**
 * A text encoder of word embeddings in its parts, as training needs them.
 *
 * @param config architecture
 * @param vocabulary words that it knows
 * @param weights of the shapes of {@link WordEmbeddingConfig#layout}; the caller closes them
 */
public record WordEmbeddings(
    WordEmbeddingConfig config, WordVocabulary vocabulary, Weights weights) {}
