#pragma once

#include "breast_shape.hpp"
#include "canvas.hpp"

namespace mpbench::synth {

/// Vessels, ducts and ligaments: thin bent lines that every breast has, so that a line alone says
/// nothing.
void draw_vessels(Canvas& canvas, const BreastShape& shape, RandomStream& random);

/// A saline or silicone implant behind the gland.
void draw_implant(Canvas& canvas, const BreastShape& shape, RandomStream& random);

/// A smooth, sharply bounded mass (a cyst or fibroadenoma), as bright as a malignant one.
void draw_benign_mass(Canvas& canvas, const BreastShape& shape, RandomStream& random);

/// A few coarse single calcifications, which half of all breasts have.
void draw_benign_calcifications(Canvas& canvas, const BreastShape& shape, RandomStream& random);

/// What makes the breast positive, at a share `depth` of the way to the nipple.
void draw_finding(Canvas& canvas, const BreastShape& shape, Finding finding, double depth,
                  RandomStream& random);

}  // namespace mpbench::synth
