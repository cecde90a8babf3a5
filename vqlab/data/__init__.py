"""Samples with labels: Gaussians, in the plane and with a power-law spectrum, and small real images."""

from vqlab.data.cifar import CIFAR10_SPLITS as CIFAR10_SPLITS
from vqlab.data.cifar import cache_folder as cache_folder
from vqlab.data.cifar import cifar10 as cifar10
from vqlab.data.cifar import find_cifar10 as find_cifar10
from vqlab.data.gaussians import LAYOUTS as LAYOUTS
from vqlab.data.gaussians import class_centres as class_centres
from vqlab.data.gaussians import gaussian_grid as gaussian_grid
from vqlab.data.gaussians import gaussian_ring as gaussian_ring
from vqlab.data.gaussians import power_law_gaussian as power_law_gaussian
from vqlab.data.gaussians import power_law_spectrum as power_law_spectrum
from vqlab.data.gaussians import separate_classes as separate_classes
from vqlab.data.images import photo_patches as photo_patches
from vqlab.data.images import read_image as read_image
from vqlab.data.samples import Samples as Samples
