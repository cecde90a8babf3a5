"""Pictures: pure functions from results and a state of the controls to a `View`.

Figures are built without pyplot, so nothing is shared between cells.
"""

from vqlab.figures.drawing import CLASS_COLORS as CLASS_COLORS
from vqlab.figures.drawing import CLASS_MARKERS as CLASS_MARKERS
from vqlab.figures.drawing import COLD as COLD
from vqlab.figures.drawing import DATA as DATA
from vqlab.figures.drawing import DEAD as DEAD
from vqlab.figures.drawing import LIVE as LIVE
from vqlab.figures.drawing import ON_DARK as ON_DARK
from vqlab.figures.drawing import ON_LIGHT as ON_LIGHT
from vqlab.figures.drawing import RECONSTRUCTION as RECONSTRUCTION
from vqlab.figures.drawing import THEORY as THEORY
from vqlab.figures.drawing import USED as USED
from vqlab.figures.drawing import WARM as WARM
from vqlab.figures.drawing import band as band
from vqlab.figures.drawing import caption as caption
from vqlab.figures.drawing import draw_classes as draw_classes
from vqlab.figures.drawing import draw_codes as draw_codes
from vqlab.figures.drawing import draw_live as draw_live
from vqlab.figures.drawing import latent_limit as latent_limit
from vqlab.figures.drawing import log2_axes as log2_axes
from vqlab.figures.images import image_grid as image_grid
from vqlab.figures.rendering import png as png
from vqlab.figures.rendering import svg_panels as svg_panels
from vqlab.figures.sheets import canvas as canvas
from vqlab.figures.sheets import drawing as drawing
from vqlab.figures.sheets import place as place
from vqlab.figures.sheets import recycle as recycle
from vqlab.figures.view import PAGE_PX as PAGE_PX
from vqlab.figures.view import THEME as THEME
from vqlab.figures.view import View as View
from vqlab.figures.view import styled as styled
from vqlab.figures.words import metric_line as metric_line
from vqlab.figures.words import per_cent as per_cent
from vqlab.figures.words import range_of as range_of
from vqlab.figures.words import seeds_apart as seeds_apart
from vqlab.figures.words import spread as spread
from vqlab.figures.words import table as table
