/**
 * Text encoders: from prompts or token ids to the features that condition the transformer. Knows
 * nothing of gRPC, Redis or HTTP.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.text;
