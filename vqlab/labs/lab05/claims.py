"""What arXiv 2605.06870 claims, and what we expected of it at our scale before any of these trainings was run.

The falsifier, written before, too: after the longest warm-up the dimension is not above the cold one's, or the error is
not below the cold one's, in both seeds at a width.
"""

EXPECTED = {
    "After a warm-up, latents and codebook keep more dimensions": "yes, at both widths and every K from 256 on",
    "At equal total steps the error ends lower": (
        "at K = 1,024 by a few per cent, for the middle lengths; a tie or worse for 1,000 of 2,000 steps, which leaves "
        "little time for codes, and at K = 64"
    ),
    "So do the perceptual distance (there LPIPS) and the distance of distributions (there rFID)": (
        "as the error, but closer to a tie and noisier"
    ),
    "Many more codes do not lift the cold floor": (
        "no: cold at K = 4,096 ends below warm at K = 64, for Adam and a default start leave no hard floor (Lab 04)"
    ),
    "Water-filling the autoencoder's spectrum bounds the trained dimension from above": (
        "yes, for codes re-estimated as means of their latents, at lengths from 200 on"
    ),
    "A cold start stays where it is however long it trains": (
        "no: two and a half times the steps bring it a dimension or two, and the warm start keeps its lead"
    ),
    "Coarse tokens need the warm-up more than fine ones": (
        "yes: with 8×8 tokens an image the error is a tie, although the dimensions are not"
    ),
    "Without a commitment loss (β = 0) dimensions come back, and the error does not": (
        "more dimensions cold, no lower error than at β = 1"
    ),
    "A rule that watches the spectrum ends the warm-up in time": (
        "its error lies within the seeds' spread of the best fixed length, within 2 per cent in the mean"
    ),
}
