/**
 * Text encoders: from prompts or token ids to the features that condition the transformer. Knows
 * nothing of gRPC, Redis or HTTP.
 */
package io.bitloom.engine.text;
