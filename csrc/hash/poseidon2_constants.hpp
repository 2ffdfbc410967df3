// Written by generate_poseidon2_constants.py from docs/spec; do not edit.
// Montgomery form, least significant limb first.

#pragma once

#include "../field/field.hpp"

BBIPC_BEGIN

namespace poseidon2_constants {

// Round constants of the external rounds 0..3 and 60..63 (chapter 02 section 1), one row each.
inline constexpr Fr external_round[8][4] = {
    {Fr::from_montgomery({{0x40e29857eccba526, 0x78b5d11f628bb63c, 0x90a91f8124d71c1d, 0x22b90b99257c701f}}),
     Fr::from_montgomery({{0xdda103bcd5e88168, 0xcadec275563908df, 0xcb42faa49bda666a, 0x12c1e60e14878465}}),
     Fr::from_montgomery({{0xe2ee3f59de1800c2, 0xc7979d60539090ba, 0xb17490108efd09c7, 0x157ae4cd6c889238}}),
     Fr::from_montgomery({{0x8d47060cfdf35e56, 0x24d3c6c56012e0bb, 0x23e529e2d9c7f211, 0x0ca313c0e7feeb7c}})},
    {Fr::from_montgomery({{0x969ae5874ec24b7c, 0x178d4318d4b3aa33, 0x6c88dcc609ed64f8, 0x2f010ac693dc51cf}}),
     Fr::from_montgomery({{0x57fb28a4e65e43e8, 0x8879374e40bb2e20, 0x2edbd9642db3a00b, 0x03519d1e42f98e5e}}),
     Fr::from_montgomery({{0x6cd497820ea1bdea, 0x7547fcc6a94b2b4d, 0xd170eabdd0b9a60b, 0x2d4d4875bba571b3}}),
     Fr::from_montgomery({{0x6ef12da5bec195b2, 0x1949053b40632693, 0x52a07adc23aaa26c, 0x2462f2ed9e08bb84}})},
    {Fr::from_montgomery({{0x86b215d7eed56c26, 0x8e8a775ab44e8536, 0x4b28315db24328ac, 0x2284e6859b91a22b}}),
     Fr::from_montgomery({{0x24435d7bbcecf683, 0x30558031784b101a, 0x8152ba72043ca93a, 0x2ef0fea092a1bf2f}}),
     Fr::from_montgomery({{0x31f7ebe8ea71df23, 0x5a40c44d8b396ad0, 0x12103e68c9964844, 0x2fbf0a0711796f09}}),
     Fr::from_montgomery({{0xd171b165b9a474d2, 0xde9cc2290d05e663, 0xaaa87c63209d7a7a, 0x138033c1c13594ca}})},
    {Fr::from_montgomery({{0x7bfd9fcbd4ed1036, 0x5d413eaa832eba40, 0xb509d471e9b81cf4, 0x1287cef711f48909}}),
     Fr::from_montgomery({{0xaa8460cf946b6f1f, 0xd383ed881df9301d, 0x13dab19464f23a61, 0x03edc8f24d94f496}}),
     Fr::from_montgomery({{0x8fb0a2baec4a0545, 0x62950a986fa7e269, 0x8b2e63ef08420ccb, 0x24357c1c0ff8ad46}}),
     Fr::from_montgomery({{0xebc3984647d708de, 0xfa8876a528054f45, 0x529aa21b353025ae, 0x11e5fb7b548a5daa}})},
    {Fr::from_montgomery({{0xd452149f1a7623ba, 0x13d73472905865d9, 0x68860941a82dff72, 0x00f33f4676757a07}}),
     Fr::from_montgomery({{0x0e60a44a6d294f41, 0x03b13324ddc4baa0, 0x4c7ce58cc39ab341, 0x139be6cb2abe19c0}}),
     Fr::from_montgomery({{0x9ee46be37fa5c783, 0x4b80d6e92fa0605d, 0xe18d39eaa0b58710, 0x019935cf03fe6d3b}}),
     Fr::from_montgomery({{0xa11eecbd6f646bef, 0xdf805be13d0c2ba1, 0xb1843fb18f8d6723, 0x0ecac0e06c90fbd4}})},
    {Fr::from_montgomery({{0x20ca3789db7f08aa, 0x8d4280081bb2f0df, 0x37f8a0a772d173e5, 0x2704fea2f81ae93b}}),
     Fr::from_montgomery({{0x0b57a210d5ab61aa, 0xb5bcedca8189a1ea, 0x1cdbbf1ab293e0ac, 0x100b4344f9ed48ae}}),
     Fr::from_montgomery({{0x907e5f4a9c057fc4, 0x575a1e1729d2396b, 0x2f81eb61b02a0d47, 0x201c9d0d354d25f3}}),
     Fr::from_montgomery({{0x6e0d1e92b19775e8, 0x1b0ff212c85487ae, 0x77fa05e5ed730bb5, 0x0da570e83ab6b8d0}})},
    {Fr::from_montgomery({{0xe33228d2d96b8f30, 0xb89a3bb8fb9be93a, 0x35e9eca0bee565b1, 0x273df6b0ae156020}}),
     Fr::from_montgomery({{0xa436a2acdb5ac551, 0x8514ac3b41c606e4, 0xc28036d7cdf04c60, 0x1ea071117eb66e66}}),
     Fr::from_montgomery({{0x6126235d108821f4, 0x4a7765cfee75f731, 0x743ed0ff07674e14, 0x05925bb80a3cc48c}}),
     Fr::from_montgomery({{0x7a92010e5b2e74a1, 0xfee649f03b0684db, 0x7aa7ccf81a3caab2, 0x23720c2cfdfbc79d}})},
    {Fr::from_montgomery({{0x460a85496e304e37, 0xdd8f527562040055, 0x40a70979fd5a7579, 0x1f03fbf1087a3e1c}}),
     Fr::from_montgomery({{0x0b43e0bf81c186ed, 0x47ce7c0961079afb, 0xb9f3357e2e55217d, 0x17e4fd8d6775a696}}),
     Fr::from_montgomery({{0xb74d133c633b1599, 0x4bf76b0fba2d94e2, 0xfec7cce4c5cd67f8, 0x183bceaeea7f1aaa}}),
     Fr::from_montgomery({{0x62a251f58bfc0bd8, 0xa47572f6ebc5885b, 0x37c60ff8efcf2b6d, 0x1fd8d931dc1b5f33}})},
};

// Round constants of lane 0 in the internal rounds 4..59.
inline constexpr Fr internal_round[56] = {
    Fr::from_montgomery({{0x1c447b0131825829, 0x6eea85c396cfd279, 0x906fa66e44792b70, 0x0f417b2b1192fc58}}),
    Fr::from_montgomery({{0x893dc44ff4ab8c3d, 0xdc5162ae7480b4d7, 0xd2d2263cef2ce577, 0x2bff5bd4cf84da5b}}),
    Fr::from_montgomery({{0xb77ac980d5b4b49b, 0x333a038690498325, 0x7d075bd47648701e, 0x14e2b4d3be83b2ac}}),
    Fr::from_montgomery({{0x529b26c9e1e7fee7, 0xe3b9ce82471f6c16, 0x7b784e18fc148e9a, 0x0af58ae3a7d121ad}}),
    Fr::from_montgomery({{0xf8d1c651163db662, 0x1e3bceb597676b5a, 0x2e280d1a469bd269, 0x1cc9d2eaf4da683b}}),
    Fr::from_montgomery({{0x284f1e6a5e8c3243, 0xdf6e2c5fa443c438, 0xa141ac6c13990c9c, 0x2406d65ed9963ebf}}),
    Fr::from_montgomery({{0x833da6aed5e8b643, 0xf6e1ac68d94bbf99, 0x92e1ab49bac7591f, 0x1f14ec7cf779855e}}),
    Fr::from_montgomery({{0x1f360ba6b2dbe89c, 0x39a6bfcefa7aa570, 0x7f9114a8abd3c437, 0x241559c0a38ff005}}),
    Fr::from_montgomery({{0x82f0f015e32b0fa5, 0x15b14571a9827bdf, 0xb77fbead604b82fb, 0x084368258f1bd0dd}}),
    Fr::from_montgomery({{0x6e0151e98341eaab, 0x347e8c0f39d2ae2b, 0x2f6a4f01fd8e7354, 0x1224728eae4780c7}}),
    Fr::from_montgomery({{0xa64a59e07277da93, 0xec9ffe497e750319, 0xf8de0d292fd81230, 0x200ba0070e4cf7e7}}),
    Fr::from_montgomery({{0x3eee8ca147f74c1e, 0xb459e1c13d394847, 0xad3a506f72dfc6e9, 0x0024a1a4a98cdf30}}),
    Fr::from_montgomery({{0x4677744f22ba290c, 0x9665c3069828d067, 0x47a5ab4a08482095, 0x050856d34a7b53a1}}),
    Fr::from_montgomery({{0xe9ac990036447fd5, 0x67e1d967ff728f98, 0x520db222d8f9b85b, 0x300d753949da28d0}}),
    Fr::from_montgomery({{0xe0a4d3db3031c219, 0xbdfc328b9599d375, 0x11f23cd7fe507de4, 0x1bf0b2f3b0ae16c8}}),
    Fr::from_montgomery({{0x18018546eeba2623, 0x1de71123707f1b9c, 0x7f6c0e2ad000f8e9, 0x28f46b322d82057f}}),
    Fr::from_montgomery({{0x3ac593da4e5db6eb, 0x3ff4bba0193a3b2d, 0xe0ad26ec69346ef2, 0x24849ad2c138914e}}),
    Fr::from_montgomery({{0xa68ceacc9a188251, 0x905a4a607ab50758, 0xdeba6d539f998afa, 0x1fff49f7df96654f}}),
    Fr::from_montgomery({{0xc067c30e7cc3a431, 0x34d758f9cd522f83, 0x3435beccd217edeb, 0x2a89e5139fbdf039}}),
    Fr::from_montgomery({{0xd5a6847c60a8f7cc, 0xd5aff503c7ba7883, 0x8b2bfd2ad28ddd20, 0x101835888a279fc0}}),
    Fr::from_montgomery({{0x50fa7503e3eb3735, 0xd8495c79cd5e9211, 0x7b7e2a5040c3544b, 0x197e6d90a94415a4}}),
    Fr::from_montgomery({{0x6ea1d22532ef2471, 0x4e96177082af0ac7, 0xed2f1dfb1189f2bb, 0x27fbb36a7bd9b353}}),
    Fr::from_montgomery({{0xa7ee25387ddb3c34, 0xf30145444d0fe612, 0x9c0473e043c5762b, 0x2bfa2b7461fc9c12}}),
    Fr::from_montgomery({{0xe74c0280a8d7a2d8, 0x15b2fc08d1baac9f, 0x7ef491cb5fda8359, 0x2622426d179ee045}}),
    Fr::from_montgomery({{0xfeea8798b783f986, 0x21f8b55837df791c, 0x4715c04841f1f926, 0x100ebb18ec5c3f93}}),
    Fr::from_montgomery({{0x122aa722f6947206, 0x522b121946ac0fee, 0x45b9250f69dac1c0, 0x25293cd27572f636}}),
    Fr::from_montgomery({{0x936f54ff136b08ab, 0x700dd002430020cc, 0xd06242f794739877, 0x2268c9c162417cab}}),
    Fr::from_montgomery({{0x1c9b445dd0a2241a, 0xc11cb47b21df29cd, 0xf7a492c3594f0f09, 0x034b38a7146edc66}}),
    Fr::from_montgomery({{0x1dfe4ac0183b8133, 0x1ef0319b13fb779a, 0x11dbf892ab5f926e, 0x17a856c53659a7ee}}),
    Fr::from_montgomery({{0x059e222bcd5307a6, 0xccfaf000d2effb7c, 0x1fd59fef9a8cf932, 0x0c4ce24e93909eae}}),
    Fr::from_montgomery({{0x42d0cafee2301d0e, 0x79696ca22bdcb93f, 0x5bacb0d63592018b, 0x29294687e7715542}}),
    Fr::from_montgomery({{0x42a5414804c7099b, 0x6fe76c6243e5c38a, 0x254493c8af4e6367, 0x1e3fcd8156bc983d}}),
    Fr::from_montgomery({{0xa7ff7255f2412486, 0x7501ca14401795c0, 0x2d0e3a0db6e4b1ff, 0x0096d162a3cc320f}}),
    Fr::from_montgomery({{0x789c20e48b1125f9, 0x528ce70d5612a45c, 0x8d645f61a75e2b38, 0x26549dc15b1fa715}}),
    Fr::from_montgomery({{0x775b5e0fba5758e9, 0xd39a069c41c98c95, 0x68a784316ed9fd47, 0x2dd54f4070bcfbe6}}),
    Fr::from_montgomery({{0x9d57dffcd1ba98ba, 0x2554bc6bf0d32b4f, 0xfaa1a29bff5eaacc, 0x1bf848fcc8ea6c31}}),
    Fr::from_montgomery({{0x3264c88684b1bcb6, 0xb5e9ff4335f99477, 0x81aca7593bdc6348, 0x1a6338f428a0b816}}),
    Fr::from_montgomery({{0x24779cc69cba1dea, 0x308776f8218f1be6, 0x3a9e52d12b3f619e, 0x06d8d604ce3e2de3}}),
    Fr::from_montgomery({{0xc7b00cf37e64dc49, 0x06d1c1802949bc23, 0xfd608a1fa1b25168, 0x22ebae49ba188f7a}}),
    Fr::from_montgomery({{0xca1469d4458d8a3d, 0x7623fb53afb084b6, 0xa0abc7e8d556d8f0, 0x2a8b5c3b5f3dfadf}}),
    Fr::from_montgomery({{0x33f5eadd9c1595c3, 0x54d6810e1d084193, 0xa13eb5c950c2db99, 0x1ac1693fb6209dfc}}),
    Fr::from_montgomery({{0x57b804a8493ffadb, 0xf4ecda7bda07b05e, 0x365ad26d1dde9556, 0x26840fe4f165a935}}),
    Fr::from_montgomery({{0xcb958721444341c1, 0xd202fc009bbb1137, 0xe10a117befbfbaef, 0x2fefe67ccff0718b}}),
    Fr::from_montgomery({{0x57166a5f56a5da25, 0x9651ac4d559f2de5, 0xe0a3ce57440d7536, 0x1d7d8da39c2e8df9}}),
    Fr::from_montgomery({{0x955694cf7e751759, 0x1f19c299b2bf9669, 0x891a562d7d697b72, 0x25b1eb3a2c62c131}}),
    Fr::from_montgomery({{0x27d15e03d244680e, 0x52a139938503b16b, 0xa60293987e1780d7, 0x27bdf8da7f79736c}}),
    Fr::from_montgomery({{0x116f555634550fcd, 0x3df9127a2fff7266, 0xf3cd0bf9d381aa33, 0x16c19d6f034f31b9}}),
    Fr::from_montgomery({{0x66d80999699047ae, 0xd3be6bda729fbceb, 0xcfabbd2afaf882be, 0x05b5d05f43fd6e3f}}),
    Fr::from_montgomery({{0x2c74114e481ddafa, 0x807434126e9f472b, 0xab570928cd20418a, 0x283d4a89a200a5af}}),
    Fr::from_montgomery({{0xd411d7242d41f6b9, 0x2633b38dce58b2a3, 0xb88e71e3b9f250f6, 0x1fd33b9c3927530c}}),
    Fr::from_montgomery({{0x97b472e62acef0f6, 0x14790dc3fcd93bbc, 0x5400b0481e349424, 0x2ceaf69d01ac2e60}}),
    Fr::from_montgomery({{0x668c4cd514449780, 0x43c5c8d06641b850, 0x4f75ba88b2b749e2, 0x267a187cac4732f2}}),
    Fr::from_montgomery({{0xb085fdc4f9a8fb0b, 0x71be2e0129e44e36, 0xe6b0eeb850b499a4, 0x02b354c2103cddba}}),
    Fr::from_montgomery({{0x0597e2d67467dcbf, 0xfb80c331cfc45fb9, 0xdac61e4a03d6a081, 0x1a11b729bcdb094a}}),
    Fr::from_montgomery({{0xf3fee4e36f25bfbd, 0x2e1ebc2bb09c65b3, 0xe2e0496cea732590, 0x0880a9b301012352}}),
    Fr::from_montgomery({{0x71df5a89af984d00, 0x7edb46887d56dd30, 0xec05215acaf42515, 0x18ff6fdc4fcf3d35}}),
};

// The same divided by f.
inline constexpr Fr scaled_internal_round[56] = {
    Fr::from_montgomery({{0xf222758876cc30b9, 0x40149ef074f3468f, 0xf2ba9568b6176865, 0x1ea6b3f0d9b82896}}),
    Fr::from_montgomery({{0x14eadd9c03a0d43b, 0x07453223b0143c2e, 0xcbb8a45608c9032e, 0x0fbf7e049743e8cd}}),
    Fr::from_montgomery({{0x712c32cda0d60dfb, 0xeccf027c1b3b5e3d, 0x82f6291c74d8a9fa, 0x1f993c1444b483e0}}),
    Fr::from_montgomery({{0x896b3321483ac494, 0x60119ad445395d9a, 0xae3ab58dc3d57c50, 0x2b118d1cf20e507c}}),
    Fr::from_montgomery({{0xa181c65084a8a824, 0x48f6126a81ba9bd4, 0x6d95fe9c1ab41579, 0x0e382087284b99ad}}),
    Fr::from_montgomery({{0x7438bf3eb69dcd12, 0xc87c50928478b2ec, 0xe5bee185d7061aee, 0x1c7182cd67d58f98}}),
    Fr::from_montgomery({{0x54dc38b2bc58eaf2, 0xffc430a39790ffb1, 0xd0d417565ad48175, 0x2a71550c71ba6f1a}}),
    Fr::from_montgomery({{0xd0a59c1bd41004e5, 0xa810bff02648943c, 0x53b2b2e6af799cda, 0x1ad9bed9ec44f176}}),
    Fr::from_montgomery({{0x46f3c32f63637c7b, 0x3b647e7f2be62ec2, 0xcca29ab2775cc717, 0x0081bbb992dfe332}}),
    Fr::from_montgomery({{0x7b2482c26b29fecb, 0x709688a815c79b2a, 0xbb99aa00df59a220, 0x080035c6b0e3a785}}),
    Fr::from_montgomery({{0x10180cafe3f2e620, 0x5ec963bd4a6e81e4, 0x31976fd315663bb4, 0x221f90684e01e218}}),
    Fr::from_montgomery({{0x829adbe6f87ccdd7, 0x251b77e3407471b6, 0x93247aff8d402d1f, 0x2761aba878c390f1}}),
    Fr::from_montgomery({{0xa84705b12487edc3, 0xeea166f8d51c72de, 0x63205fa69d393903, 0x0c92a7bdd884ef74}}),
    Fr::from_montgomery({{0x4f905158877141ed, 0xed731bf6d67e4aae, 0x6d666301e6dc53ba, 0x2f7e3a6cfad3b737}}),
    Fr::from_montgomery({{0x4518f21b41d6c5e4, 0x54781b5b8e93ec39, 0x0bc450170d2f329b, 0x09b0344623dc559f}}),
    Fr::from_montgomery({{0xc04b2fde8d39300a, 0xee74d72f6f3919a5, 0x8ebdcede0b315db2, 0x12cf7166291c8ece}}),
    Fr::from_montgomery({{0x9f6acfc6067f2fb1, 0x3facaa7698049478, 0x36b5e8ceb0ac5976, 0x1d04d28f23336270}}),
    Fr::from_montgomery({{0xd9443a988f583595, 0x511d39c715e784a4, 0x010fd2aeccf64db8, 0x11228b9308182b3a}}),
    Fr::from_montgomery({{0x61c905fabd80192e, 0xfa8470088f2bce78, 0xb3b1639364228dde, 0x269a0c6178522cdf}}),
    Fr::from_montgomery({{0x1b3620651b377519, 0xa02545d23e2885c9, 0x9567cebc507766a7, 0x22f0346340ada7dc}}),
    Fr::from_montgomery({{0xeea000350aae27fc, 0x1dc009f427401d93, 0xc14e6374bc8d0750, 0x2b361f818d1357ea}}),
    Fr::from_montgomery({{0xebf0a37d4d849971, 0x901f4f7aef712f92, 0x46323eb92ce83b29, 0x21c3936105d15a91}}),
    Fr::from_montgomery({{0xb4666cc317d97dc2, 0x0c4761da6b3f70bf, 0xebbf151a56a51a51, 0x27f50177a41f1c60}}),
    Fr::from_montgomery({{0x22e9f5fe83741178, 0xfcacfaa206dc9a1e, 0xda6acede637c44cf, 0x062f708d441710fa}}),
    Fr::from_montgomery({{0xcc5a6fc65b136495, 0x79da11cc962e68a3, 0x7d6ddd44ac3a5fbd, 0x085b820f1ba55e7c}}),
    Fr::from_montgomery({{0xd1bc380795538855, 0xb77773ade5948ba2, 0xef1743891a1cf781, 0x09645958e0aa24ac}}),
    Fr::from_montgomery({{0x0b1cfc41b48a3842, 0xcd771889c8a24a7c, 0x16b48e6e65d8e93d, 0x1ad3197984b4d907}}),
    Fr::from_montgomery({{0x20fd1d72c6463658, 0x14a9d83f0e25d80c, 0x6939af8d2f6e6560, 0x21f4cb7c46287636}}),
    Fr::from_montgomery({{0x9d756c656f23d357, 0x8ff45af64a517fe2, 0x24dadf8d44403f83, 0x21e649bfbd1f624d}}),
    Fr::from_montgomery({{0x8a387dcf17ec2de2, 0x0c2de5b2a11fda28, 0xd8d57c23b3daafed, 0x26ef5dfe465eb547}}),
    Fr::from_montgomery({{0xf53f55bf615f3edc, 0xc0a1b5ca9e7460cb, 0xf533898b96b4d3ca, 0x065cf9b3c08c998a}}),
    Fr::from_montgomery({{0xcdae289531e32df2, 0xd2e230850afc1d4d, 0x553742fe30e18c41, 0x01d68a68ad1ed1cf}}),
    Fr::from_montgomery({{0xbb8882888ad9c899, 0xe5225c5fe98b5a39, 0xfbaf0e81198e1e04, 0x2e53701988b0450e}}),
    Fr::from_montgomery({{0x631c7e30f2407e3d, 0x403916fbdfda64b7, 0x5c90613f6ae0324e, 0x2dadb57f27e68bf8}}),
    Fr::from_montgomery({{0xb9555b25d6df9854, 0x724433e65e1be1c6, 0xcbc2f1ca47563715, 0x0fc7d9b9f25b58ff}}),
    Fr::from_montgomery({{0x7220c82e856c2fd0, 0x6d7e7d47344f5722, 0x0e8ef113de8bcb51, 0x29b94834c779920e}}),
    Fr::from_montgomery({{0x5a09d635283a5b6e, 0xc6ea28cd1330d4c5, 0xc47c669f2798e94f, 0x01d5cda94b84a53b}}),
    Fr::from_montgomery({{0xe73700d9ee13cb75, 0x5181b6815ef606d5, 0x94fabe0239b0f0d2, 0x137a571afab6254e}}),
    Fr::from_montgomery({{0xefab9809132774ec, 0x01d92587c69f110b, 0x8fdc9e77812a6b2a, 0x0b0a5e7b64b51f9f}}),
    Fr::from_montgomery({{0x3973e142748bf72f, 0xa674902ed91fbee9, 0x94b8f030fa800cb3, 0x10d977490b7e8237}}),
    Fr::from_montgomery({{0xf5c382964ea662a7, 0x3fda0fad70228943, 0xf3e383fcc5368f5a, 0x274cc32221d3db96}}),
    Fr::from_montgomery({{0x858549a5b0ebb2c4, 0x4637324052e8a0ff, 0xcca1a85efeb598fb, 0x304cfeb9eee618ef}}),
    Fr::from_montgomery({{0x8f0ec9f024c6d0e8, 0xaa091963ea7bf6e9, 0x424e638df37f442b, 0x00cd92bead2f5afd}}),
    Fr::from_montgomery({{0x28e10c8f79dad2e7, 0xa50b75f24ec08f72, 0x473494c4d630a2d7, 0x28197736d16cdb31}}),
    Fr::from_montgomery({{0xca141f36eff62090, 0xf025591535d15ea4, 0x62e320bc02d2f719, 0x1593192eeb88709c}}),
    Fr::from_montgomery({{0x5767ef51e3da7db1, 0xb7e69e42b3afbadc, 0x3b2af4c4775338e9, 0x07a6b59abeadd729}}),
    Fr::from_montgomery({{0xd336b03ceab49fa8, 0xb654c03177f43691, 0x09ed9615cc921b63, 0x1ad7ff89f09f7456}}),
    Fr::from_montgomery({{0xca0929054d9391d6, 0x7595e0c2a67df2fc, 0x49fdff4c0fab77c6, 0x2ccd729dff9de521}}),
    Fr::from_montgomery({{0x73c3f3c2e77b166c, 0x6e12bbefb2071749, 0xaf77772e70bec776, 0x2771d311f7163963}}),
    Fr::from_montgomery({{0x1f1e33fdd44c3358, 0x239cead91097485d, 0x0881de172d527f00, 0x18c5bb9d1f8e8a77}}),
    Fr::from_montgomery({{0x788fefa050afec0c, 0x00c587394514f8e8, 0x17528655d1b64ea1, 0x2bc09397b7f82938}}),
    Fr::from_montgomery({{0x82f8f9fb04c4e55c, 0x3cb59dbbccbfc2c5, 0x96bde5916c5f50e2, 0x2a438a9acb11799d}}),
    Fr::from_montgomery({{0x062b15e897a808ef, 0x9505e97c97914193, 0x66032fe891d22869, 0x02bd8469a71758f6}}),
    Fr::from_montgomery({{0xbf03267827f57bc2, 0x39ac78b1af02f29d, 0x017d5b032fa9eef5, 0x2d4453b25a0ff501}}),
    Fr::from_montgomery({{0x47322f41a329eb06, 0x2b650b17973c0d78, 0x13fd753b7567536a, 0x07d16c7dfc67eb4f}}),
    Fr::from_montgomery({{0xe553d1f2901fa509, 0x20ded5e57e4fe15e, 0x6b44928601582275, 0x23b3b14cc4568a2c}}),
};

// f and 1/f, where f^4 D_0 = 2.
inline constexpr Fr scale[2] = {
    Fr::from_montgomery({{0x1bb42b97fde1a2fd, 0xf3545ec4cde58fba, 0x27f248f471d1369f, 0x2c17cf6474e5b162}}),
    Fr::from_montgomery({{0x2bb3d6ed7cf5d89a, 0x927cf781c7ef30af, 0x73ce557d150148b3, 0x06681f8340f72b26}}),
};

// Coefficients of (v_{n-3}, y_{n-3}, v_{n-2}, y_{n-2}, v_{n-1}, y_{n-1}) in y_n.
inline constexpr Fr recurrence[6] = {
    Fr::from_montgomery({{0x0be313f7968188a1, 0x56ac0150343088a5, 0xcc3142970bcfafb7, 0x0859755ad5dd7b2b}}),
    Fr::from_montgomery({{0x6e4f7cad982c14ca, 0x4d85a1f4614721ac, 0x33f9b1639d7f693e, 0x050dfa8f1e36d71d}}),
    Fr::from_montgomery({{0x4cf03765c27890da, 0x71750de1a163e45c, 0x30a0173cbffad707, 0x01932f86f072e839}}),
    Fr::from_montgomery({{0xab8a97ff172b6462, 0x986d458da036dd93, 0xed1c6675fd33038d, 0x02208f94bda0ff27}}),
    Fr::from_montgomery({{0x84850a5c97aa54b7, 0x221aca9294c640a9, 0x7cc54ba3cc731dec, 0x1fe84ef9b53dfde9}}),
    Fr::from_montgomery({{0xc72a50123bd88eaa, 0x47a81458a535103b, 0x6e35b27f6532fbee, 0x047ad97d6290773d}}),
};

// Rows: y_{-1}, y_{-2}, y_{-3} from the lanes 1, 2, 3 before the internal rounds.
inline constexpr Fr start[3][3] = {
    {Fr::from_montgomery({{0x98cd8f791f4c7e0a, 0x431643ebf6b8ff48, 0x29eeadac197a18dc, 0x28768c78776889cb}}),
     Fr::from_montgomery({{0xa641ae7cf9b5ba51, 0x232cb1e2028c08e5, 0xafa3483cb8694782, 0x0abc67c9294e1dff}}),
     Fr::from_montgomery({{0x873f0061342a1e2f, 0xfdd324cbb1678167, 0xafd16318c1b4a4a9, 0x0e7002c4f3433394}})},
    {Fr::from_montgomery({{0x65180680ec25533e, 0xa6f975bc286e5828, 0x78ad7b8fa8a8e9ed, 0x0cd5c5c4c31d870d}}),
     Fr::from_montgomery({{0x28144ba9ca316b84, 0x811aeb97181d06d9, 0xded6fef8fcf7a1c5, 0x2db72a111a9c727c}}),
     Fr::from_montgomery({{0x4e125310e7a02025, 0x9fc0af40557c4d8f, 0x5b6cf7dff8a4a387, 0x187b8f4491db5320}})},
    {Fr::from_montgomery({{0xccf7174abf27c93a, 0x7ab5579da9254f8d, 0x362126fd82abfd95, 0x1ddf9b75f4af213e}}),
     Fr::from_montgomery({{0x8c89a46a09e7afa4, 0x4f23ff81a468b8b7, 0x6b39a17bdd6b514d, 0x16dfc45c0be1bd40}}),
     Fr::from_montgomery({{0xc9968cfc319d8d41, 0x607d0fe9c5ec23da, 0x36811f60daea913a, 0x25ba9c9c07d7dbcd}})},
};

// Rows: the lanes 1, 2, 3 after the internal rounds from (v_53, y_53, v_54, y_54, v_55, y_55).
inline constexpr Fr finish[3][6] = {
    {Fr::from_montgomery({{0xadd79824f6c1ff57, 0x7da87b9c9e22d2bb, 0xb8ab751ce15396ae, 0x1b44c8bbed2098f6}}),
     Fr::from_montgomery({{0x3293932362d8e947, 0x2b8717806e5b9bee, 0x069c1dfd939826de, 0x1e265c09e98652db}}),
     Fr::from_montgomery({{0xb984bfc088062178, 0x65971ab180b411ec, 0xfeb97f3abc30b425, 0x14d1ef63320e9b98}}),
     Fr::from_montgomery({{0x4931b818b509e00d, 0xf9d78a4bb6ad117a, 0x0f6c5f861619dde3, 0x2e31d3f5bc7453e4}}),
     Fr::from_montgomery({{0xd1a556bc500c4adb, 0x6a04899375b89b6d, 0xdce9c8cbb783cdd4, 0x0f4163adf23bf2fd}}),
     Fr::from_montgomery({{0x5a133609f9e5d16f, 0x0935956cb2ea67df, 0xed9128e63f86c702, 0x28647d0434e1d9fd}})},
    {Fr::from_montgomery({{0x04e4ca18de43a41f, 0xa6948323022daf21, 0x1b67f00b667c7190, 0x00a576fe22cbd57f}}),
     Fr::from_montgomery({{0xbb170ef0275db4e0, 0x8a791bc33f841b9c, 0xf42f343a1bc823a4, 0x2c3ecb941947a4c8}}),
     Fr::from_montgomery({{0x1aea45619809ea5f, 0x1efff4b89862d885, 0x75751fcbdaa4ab22, 0x2d58c329c8ed86b9}}),
     Fr::from_montgomery({{0x37e3106ec6713224, 0x7478492776ecdf6e, 0xd21fa88be04f14fa, 0x2b6132e80548d464}}),
     Fr::from_montgomery({{0xd1a556bc500c4adb, 0x6a04899375b89b6d, 0xdce9c8cbb783cdd4, 0x0f4163adf23bf2fd}}),
     Fr::from_montgomery({{0x0c44180641e6046c, 0x439904fcadf318c4, 0xdb705af83971c97d, 0x057905593b4ffe90}})},
    {Fr::from_montgomery({{0x758a7af010b85dc7, 0x0e86d3ff6654c06e, 0x6f68636781c883ca, 0x01e6e7fbe52984bf}}),
     Fr::from_montgomery({{0x7eb0a1bb934bea0a, 0x91d37fa34c22b15f, 0x3710594fd783cda3, 0x1e1ad2ef6e5b5185}}),
     Fr::from_montgomery({{0x01bcc454757925ba, 0x7f6e3b4ca1d92eba, 0x3227849ea15259cf, 0x0344cbf3a39cf1ac}}),
     Fr::from_montgomery({{0xe4ea9ed1e95fab70, 0xfe6a4bde3444ee60, 0x3ead9783569cbf42, 0x04bd816b7dc2145a}}),
     Fr::from_montgomery({{0xd1a556bc500c4adb, 0x6a04899375b89b6d, 0xdce9c8cbb783cdd4, 0x0f4163adf23bf2fd}}),
     Fr::from_montgomery({{0xdb6f6e3c66c8ad04, 0xe206df75a320f1f5, 0xa93affc885a2b481, 0x0b536bf2f8ffcb2b}})},
};

// D of chapter 02 section 1.
inline constexpr Fr diagonal_minus_one[4] = {
    Fr::from_montgomery({{0x78b3c4df7b603c75, 0xdd54552f4a97b9e3, 0xc9ceb940f70388e9, 0x300af8e86f112b7e}}),
    Fr::from_montgomery({{0x00deb14139b1ef67, 0xccb2bdefcca2343d, 0x6c43a052dbe2f558, 0x1063a869506e775c}}),
    Fr::from_montgomery({{0x94eea894378e2f93, 0x93faf7c07882666b, 0x21288cc59995cfdc, 0x027e7283b9b0b7d3}}),
    Fr::from_montgomery({{0xb35e450fba986fc1, 0x926ccb787560ef38, 0x1e1e2685895114e8, 0x2841f4314cbcead3}}),
};

// D_0..D_3 of chapter 11: D of chapter 02 plus one.
inline constexpr Fr diagonal[4] = {
    Fr::from_montgomery({{0xe1680367db603c6f, 0xec1ce37c703f167b, 0x77ed16f9edfb76ba, 0x0db1223727e76a84}}),
    Fr::from_montgomery({{0xad74e55d89b1ef62, 0x03af34856c030166, 0xd2b243c2545c3b87, 0x1e6e202aea76568b}}),
    Fr::from_montgomery({{0x4184dcb0878e2f8e, 0xcaf76e5617e33395, 0x87973035120f160a, 0x1088ea4553b89702}}),
    Fr::from_montgomery({{0x1c1283981a986fbb, 0xa13559c59b084bd1, 0xcc3c843e804902b9, 0x05e81d80059329d8}}),
};

// C of chapter 11: the state after four internal rounds, over (w_r, w_o, w_4, u_0, u_1, u_2, u_3).
inline constexpr Fr quad[4][7] = {
    {Fr::from_montgomery({{0x6e4f7cad982c14ca, 0x4d85a1f4614721ac, 0x33f9b1639d7f693e, 0x050dfa8f1e36d71d}}),
     Fr::from_montgomery({{0xab8a97ff172b6462, 0x986d458da036dd93, 0xed1c6675fd33038d, 0x02208f94bda0ff27}}),
     Fr::from_montgomery({{0xc72a50123bd88eaa, 0x47a81458a535103b, 0x6e35b27f6532fbee, 0x047ad97d6290773d}}),
     Fr::from_montgomery({{0x5e64d71ff23ea5ac, 0xcccf9841da0ce6c5, 0xa3581da3cfa5b32e, 0x097cbce742906f0a}}),
     Fr::from_montgomery({{0xe8dd58379cb56cd2, 0x711b71fa533bab3c, 0xca640e791431832f, 0x2b0342ccd95b9411}}),
     Fr::from_montgomery({{0x48bb374d5d80cb8e, 0x4d5c90174f08595c, 0xce20367d7e5c3365, 0x0f68211cb184bf06}}),
     Fr::from_montgomery({{0xe1680367db603c6f, 0xec1ce37c703f167b, 0x77ed16f9edfb76ba, 0x0db1223727e76a84}})},
    {Fr::from_montgomery({{0xb089c26bb3036ba8, 0x47f58ea3b3d5c57d, 0xf5c4eb6b5f3e3b31, 0x1af73ca967daf414}}),
     Fr::from_montgomery({{0x4fc86c75943085f9, 0x2110efb52dda0c7a, 0x17f3e554a5b9c394, 0x16ccba82a5c1a645}}),
     Fr::from_montgomery({{0x0a399c46aa5e9864, 0x809ca5a23c538ecb, 0x92466e77a6630f16, 0x2160db9bde59524c}}),
     Fr::from_montgomery({{0xa4bc3965698c3a2f, 0xe8eb1a3c576095ca, 0x04d620af1456e24c, 0x08eb25f9fae9ee54}}),
     Fr::from_montgomery({{0x29481abadd20ec9b, 0xae228464c718c466, 0xa4f520dc321ae2cb, 0x15a6bd25f9422af7}}),
     Fr::from_montgomery({{0xab7fff12994a35c2, 0xce434b7d43347e22, 0xd75f67999f684b10, 0x136ca3456621e4d4}}),
     Fr::from_montgomery({{0xac96341c4ffffffb, 0x36fc76959f60cd29, 0x666ea36f7879462e, 0x0e0a77c19a07df2f}})},
    {Fr::from_montgomery({{0x0e1d9161faa247d5, 0xa0c508161fc3710e, 0x7ddfacb2b426a0fd, 0x28f085a982fdfb67}}),
     Fr::from_montgomery({{0xee128888a25b29f2, 0x4824eff7bb86d48b, 0x3f3f0d28c6d1fdfe, 0x13dc7cf569f7a47d}}),
     Fr::from_montgomery({{0xb58ba7b4c8a642b5, 0x86a5489db07d309f, 0x31043284a5658844, 0x1910b33031b6ac76}}),
     Fr::from_montgomery({{0x7c568261555134a1, 0x99b6da3ad0fd987a, 0x98f5a387022bc963, 0x020d3ba4d10a8cde}}),
     Fr::from_montgomery({{0xe81857b5ee112580, 0x4bc4e926ae7742dd, 0xbe4d493191785e9d, 0x0862a64d8935fdb5}}),
     Fr::from_montgomery({{0xfe33df6e19d38c23, 0x33f33148f026c499, 0x3c48d44c7a390178, 0x128ed9b1e34f7198}}),
     Fr::from_montgomery({{0xac96341c4ffffffb, 0x36fc76959f60cd29, 0x666ea36f7879462e, 0x0e0a77c19a07df2f}})},
    {Fr::from_montgomery({{0x3d8569f3c80156d8, 0xb390cb6c027a77d1, 0xcf52bf88c69b1dc9, 0x061e5a0f6b5575e3}}),
     Fr::from_montgomery({{0x80ffa18db576fecf, 0x147e3409a949d3ed, 0x9fc3ccdfaa8b1621, 0x156b0bc5642036e6}}),
     Fr::from_montgomery({{0xb41ea6bf860147b2, 0x772ba72e370871b6, 0x0c4a64f7f3ced9c1, 0x169e5ac2c9ae5761}}),
     Fr::from_montgomery({{0xbc15da43ca6bb08f, 0x982cf60cc8e37de1, 0x7b1d6b2cb4ae8214, 0x09d854e8767353ea}}),
     Fr::from_montgomery({{0x9a1d2d8937d154ff, 0x03f607c082595988, 0x911b7a1b289ba4d0, 0x15088d951d61d81a}}),
     Fr::from_montgomery({{0xf359bf7a4ea46919, 0xab93248a7f2ffa53, 0x1df12a196059383f, 0x0c6651a861810a5b}}),
     Fr::from_montgomery({{0xac96341c4ffffffb, 0x36fc76959f60cd29, 0x666ea36f7879462e, 0x0e0a77c19a07df2f}})},
};

}  // namespace poseidon2_constants

BBIPC_END
