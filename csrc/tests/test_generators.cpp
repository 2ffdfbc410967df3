// The embedded generators. (Their published digest is checked where they are derived, at build time.)
#include "../field/hex.hpp"
#include "../generators/generators.hpp"
#include "check.hpp"

using namespace bbipc;

int main() {
    const Rule rule("01.6, the generators");
    // The four that chapter 01 section 6 prints.
    struct Known {
        std::size_t index;
        Fr x, y;
    };
    const Known known[] = {
        {0, hex_element<Fr>("12f26f06d41f0965803cdb1a5cc895ef5df33aa2cecd833768e407d5d6eb196a"),
         hex_element<Fr>("273faabf29fadf2484aa2f8ec2388dfdb441595fde91ccc96dafe41c1dbcd0ea")},
        {1, hex_element<Fr>("28cc5109376bdec7cdea99ea99cd0b14151f735ed8cd1687f5154cafc5718900"),
         hex_element<Fr>("13df90d6be58ebcfb1b767db72f4c3fe3b98afd7a0094d69cdea854128819bc9")},
        {2, hex_element<Fr>("25c3ece6346a3048c7876542f1368da1f2459181bdaaccae2bde6df98be43c7e"),
         hex_element<Fr>("2f4b4ff483090ab763f77f92bf89a8b2def66206d55fdf4626bd8b05158a543a")},
        {32767, hex_element<Fr>("23a271e0e1d99d2a526cc8c06df7edf7c86e9cb985e577affb5a64b9daf24401"),
         hex_element<Fr>("12a74c457ae1f9bd6076c308f47a006deb82adfd576be1266cde1cdc0d008cd1")},
    };
    for (const Known& k : known) CHECK(generators()[k.index] == Grumpkin{k.x, k.y});
    CHECK(generators().size() == generator_count);
    bool all_on_curve = true;
    for (const Grumpkin& g : generators()) all_on_curve &= g.is_on_curve() && !g.is_infinity();
    CHECK(all_on_curve);
    return check_result();
}
