/** Training configurations: YAML files, read strictly. */
package io.bitloom.training.config;
