/**
 * What can be asked of a model: prompts and their options as plain values, the limits of every
 * field, the defaults, and how all this is written as JSON. It needs neither gRPC nor protobuf.
 */
package io.bitloom.common.rules;
