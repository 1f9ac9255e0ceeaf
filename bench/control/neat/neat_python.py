"""The peer of speed.ts: neat-python (PyPI) plays the episodes of given networks on two poles, and breeds a generation of its own.

Standard input: JSON {networks, inputs, bias, output, population, steps}; a network is a list of [node, [[from, weight], ...]] in order.
Standard output: JSON {steps, episodesSeconds, breedingSeconds}, seconds of the processor, breeding as the mean of three generations.
"""

import json
import math
import random
import sys
import tempfile
import time

import neat
from neat.aggregations import sum_aggregation

CONFIG = """
[NEAT]
fitness_criterion = max
fitness_threshold = 1e9
pop_size = {population}
reset_on_extinction = False
no_fitness_termination = True

[DefaultGenome]
num_inputs = 7
num_outputs = 1
num_hidden = 0
feed_forward = True
initial_connection = full_direct
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = 0.4
conn_add_prob = 0.05
conn_delete_prob = 0.0
node_add_prob = 0.03
node_delete_prob = 0.0
activation_default = sigmoid
activation_mutate_rate = 0.0
activation_options = sigmoid
aggregation_default = sum
aggregation_mutate_rate = 0.0
aggregation_options = sum
bias_init_mean = 0.0
bias_init_stdev = 0.0
bias_init_type = gaussian
bias_max_value = 8.0
bias_min_value = -8.0
bias_mutate_power = 0.0
bias_mutate_rate = 0.0
bias_replace_rate = 0.0
response_init_mean = 1.0
response_init_stdev = 0.0
response_init_type = gaussian
response_max_value = 8.0
response_min_value = -8.0
response_mutate_power = 0.0
response_mutate_rate = 0.0
response_replace_rate = 0.0
weight_init_mean = 0.0
weight_init_stdev = 1.0
weight_init_type = gaussian
weight_max_value = 8.0
weight_min_value = -8.0
weight_mutate_power = 1.0
weight_mutate_rate = 0.8
weight_replace_rate = 0.1
enabled_default = True
enabled_mutate_rate = 0.0
enabled_rate_to_false_add = 0.0
enabled_rate_to_true_add = 0.0
time_constant_init_mean = 1.0
time_constant_init_stdev = 0.0
time_constant_init_type = gaussian
time_constant_max_value = 1.0
time_constant_min_value = 1.0
time_constant_mutate_power = 0.0
time_constant_mutate_rate = 0.0
time_constant_replace_rate = 0.0

[DefaultSpeciesSet]
compatibility_threshold = 3.0

[DefaultStagnation]
species_fitness_func = max
max_stagnation = 15
species_elitism = 1

[DefaultReproduction]
elitism = 1
survival_threshold = 0.2
min_species_size = 2
"""

GRAVITY = -9.8
FRICTION = 2e-6
POLES = ((0.1, 0.5), (0.01, 0.05))


def derivatives(state, force):
    cart_force, mass = force, 1.0
    terms = []
    for (kg, half), angle, turn in zip(POLES, state[2::2], state[3::2]):
        sin, cos = math.sin(angle), math.cos(angle)
        joint = FRICTION * turn / (kg * half)
        cart_force += kg * half * turn * turn * sin + 0.75 * kg * cos * (joint + GRAVITY * sin)
        mass += kg * (1 - 0.75 * cos * cos)
        terms.append((half, sin, cos, joint, turn))
    cart = cart_force / mass
    result = [state[1], cart]
    for half, sin, cos, joint, turn in terms:
        result += [turn, -0.75 * (cart * cos + GRAVITY * sin + joint) / half]
    return result


def runge_kutta(state, force, seconds):
    k1 = derivatives(state, force)
    k2 = derivatives([s + seconds / 2 * k for s, k in zip(state, k1)], force)
    k3 = derivatives([s + seconds / 2 * k for s, k in zip(state, k2)], force)
    k4 = derivatives([s + seconds * k for s, k in zip(state, k3)], force)
    return [s + seconds / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4)]


def sigmoid(value):
    return 1.0 / (1.0 + math.exp(-max(-700.0, min(700.0, 4.9 * value))))


def play(network, bias, limit):
    state = [0.0, 0.0, 0.07, 0.0, 0.0, 0.0]
    for step in range(1, limit + 1):
        x, v, a, da, b, db = state
        (output,) = network.activate([x / 4.8, v / 2, a / 0.52, da / 2, b / 0.52, db / 2, bias])
        force = -10 + 20 * output
        state = runge_kutta(runge_kutta(state, force, 0.01), force, 0.01)
        if abs(state[0]) > 2.4 or abs(state[2]) > 0.628329 or abs(state[4]) > 0.628329:
            return step
    return limit


def breeding_seconds(size):
    with tempfile.NamedTemporaryFile('w', suffix='.ini') as file:
        file.write(CONFIG.format(population=size))
        file.flush()
        config = neat.Config(
            neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation, file.name
        )
    random.seed(0)
    population = neat.Population(config)
    spent = []
    for generation in range(3):
        for genome in population.population.values():
            genome.fitness = 1 + random.random()
        started = time.process_time()
        population.population = population.reproduction.reproduce(config, population.species, size, generation)
        population.species.speciate(config, population.population, generation + 1)
        spent.append(time.process_time() - started)
    return sum(spent) / len(spent)


def main():
    given = json.load(sys.stdin)
    sources, output = list(range(given['inputs'] + 1)), given['output']
    started = time.process_time()
    steps = 0
    for nodes in given['networks']:
        evals = [
            (node, sigmoid, sum_aggregation, 0.0, 1.0, [(origin, weight) for origin, weight in links])
            for node, links in nodes
        ]
        network = neat.nn.FeedForwardNetwork(sources, [output], evals)
        steps += play(network, given['bias'], given['steps'])
    episodes = time.process_time() - started
    print(json.dumps({'steps': steps, 'episodesSeconds': episodes, 'breedingSeconds': breeding_seconds(given['population'])}))


main()
