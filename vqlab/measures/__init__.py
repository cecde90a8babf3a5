"""The numbers every lab reports, in one order: reconstruction error · perplexity (of K, at N tokens) ·
active codes · effective dimension (encoder output / codebook); and whether classes can still be told apart.

Every function takes arrays, lists or PyTorch tensors of any integer or float dtype, and returns numpy in float64."""

from vqlab.measures.class_tokens import accuracy as accuracy
from vqlab.measures.class_tokens import classify_by_token as classify_by_token
from vqlab.measures.class_tokens import confusion as confusion
from vqlab.measures.class_tokens import token_information as token_information
from vqlab.measures.class_tokens import token_purity as token_purity
from vqlab.measures.class_tokens import token_table as token_table
from vqlab.measures.classes import boundary as boundary
from vqlab.measures.classes import class_covariances as class_covariances
from vqlab.measures.classes import class_error as class_error
from vqlab.measures.classes import class_means as class_means
from vqlab.measures.classes import classify_by_mean as classify_by_mean
from vqlab.measures.classes import discriminability as discriminability
from vqlab.measures.classes import distinct_regions as distinct_regions
from vqlab.measures.classes import held_out as held_out
from vqlab.measures.classes import linear_probe_accuracy as linear_probe_accuracy
from vqlab.measures.classes import region_labels as region_labels
from vqlab.measures.classes import scatter_ratio as scatter_ratio
from vqlab.measures.codes import active_codes as active_codes
from vqlab.measures.codes import code_usage as code_usage
from vqlab.measures.codes import perplexity as perplexity
from vqlab.measures.dimensions import effective_dimension as effective_dimension
from vqlab.measures.dimensions import principal_variances as principal_variances
from vqlab.measures.dimensions import spectrum_dimension as spectrum_dimension
from vqlab.measures.dimensions import used_dimension as used_dimension
from vqlab.measures.errors import agrees as agrees
from vqlab.measures.errors import mean_squared_error as mean_squared_error
from vqlab.measures.errors import psnr as psnr
from vqlab.measures.frechet import frechet_distance as frechet_distance
