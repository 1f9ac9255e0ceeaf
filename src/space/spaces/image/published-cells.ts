/** Cells that papers have published, with the figures that the papers quote for them. */
import type { Published } from '../../space.ts';

/** Of the space `darts`; in the notation and under the names of the published files. */
export const DARTS_CELLS = {
  DARTS_V1: {
    text: "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])",
    paper: 'Liu et al. 2019, arXiv:1806.09055, first order',
    source: 'quark0/darts@f276dd3 cnn/genotypes.py',
    quoted: { params: 3.3e6, testError: '3.00 ± 0.14 %' },
  },
  DARTS_V2: {
    text: "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])",
    paper: 'Liu et al. 2019, arXiv:1806.09055, second order',
    source: 'quark0/darts@f276dd3 cnn/genotypes.py',
    quoted: { params: 3.3e6, testError: '2.76 ± 0.09 %' },
  },
  PC_DARTS_cifar: {
    text: "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6))",
    paper: 'Xu et al. 2020, arXiv:1907.05737',
    source: 'yuhuixu1993/PC-DARTS@b74702f genotypes.py',
    quoted: { params: 3.6e6, testError: '2.57 ± 0.07 %' },
  },
  PDARTS: {
    text: "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)], normal_concat=range(2, 6), reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], reduce_concat=range(2, 6))",
    paper: 'Chen et al. 2019, arXiv:1904.12760',
    source: 'chenxin061/pdarts@b880e87 genotypes.py',
    quoted: { params: 3.4e6, testError: '2.50 %' },
  },
  SNAS_mild: {
    text: "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('dil_conv_5x5', 2)], reduce_concat=range(2, 6))",
    paper: 'Xie et al. 2019, arXiv:1812.09926, mild constraint',
    source: 'SNAS-Series/SNAS-Series@9a43adb SNAS/genotypes.py',
    quoted: { params: 2.9e6, testError: '2.98 %' },
  },
  SNAS_moderate: {
    text: "Genotype(normal=[('dil_conv_5x5', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('skip_connect', 1), ('skip_connect', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 1)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_5x5', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)], reduce_concat=range(2, 6))",
    paper: 'Xie et al. 2019, arXiv:1812.09926, moderate constraint',
    source: 'SNAS-Series/SNAS-Series@9a43adb SNAS/genotypes.py',
    quoted: { params: 2.8e6, testError: '2.85 ± 0.02 %' },
  },
  GDAS_V1: {
    text: "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_5x5', 2), ('sep_conv_3x3', 3), ('skip_connect', 0), ('sep_conv_5x5', 4), ('sep_conv_3x3', 3)], normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('sep_conv_5x5', 1), ('dil_conv_5x5', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)], reduce_concat=range(2, 6))",
    paper: 'Dong & Yang 2019, arXiv:1910.04465',
    source: 'D-X-Y/AutoDL-Projects@f46486e xautodl/nas_infer_model/DXYs/genotypes.py',
    quoted: { params: 3.4e6, testError: '2.93 %' },
  },
} as const satisfies Readonly<Record<string, Published>>;

/**
 * Of the space `nasnet`. The papers have skeletons of their own, so that their sizes differ from those here, in the skeleton of DARTS.
 */
export const NASNET_CELLS = {
  'NASNet-A': {
    text: "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 1)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), ('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], reduce_concat=[4, 5, 6])",
    paper: 'Zoph et al. 2018, arXiv:1707.07012',
    source: 'quark0/darts@f276dd3 cnn/genotypes.py',
    quoted: { params: 3.3e6, testError: '2.65 %' },
  },
  'AmoebaNet-A': {
    text: "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), ('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])",
    paper: 'Real et al. 2019, arXiv:1802.01548',
    source: 'quark0/darts@f276dd3 cnn/genotypes.py',
    quoted: { params: 3.2e6, testError: '3.34 ± 0.06 %' },
  },
  ENAS: {
    text: "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 1), ('sep_conv_5x5', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 1), ('avg_pool_3x3', 0)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('avg_pool_3x3', 1), ('sep_conv_3x3', 1), ('avg_pool_3x3', 1), ('avg_pool_3x3', 1), ('sep_conv_5x5', 4), ('sep_conv_3x3', 5), ('sep_conv_5x5', 0)], reduce_concat=range(2, 7))",
    paper: 'Pham et al. 2018, arXiv:1802.03268, micro search',
    source: 'xiaomi-automl/FairDARTS@270cfc9 fairdarts/genotypes.py',
    quoted: { params: 4.6e6, testError: '2.89 %' },
  },
  'PNASNet-5': {
    text: "Genotype(normal=[('sep_conv_5x5', 0), ('max_pool_3x3', 0), ('sep_conv_7x7', 1), ('max_pool_3x3', 1), ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 4), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=range(2, 7), reduce=[('sep_conv_5x5', 0), ('max_pool_3x3', 0), ('sep_conv_7x7', 1), ('max_pool_3x3', 1), ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 4), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 1)], reduce_concat=range(2, 7))",
    paper: 'Liu et al. 2018, arXiv:1712.00559',
    source: 'tensorflow/models@03cdc5f research/slim/nets/nasnet/pnasnet.py',
    quoted: { params: 3.2e6, testError: '3.41 ± 0.09 %' },
  },
} as const satisfies Readonly<Record<string, Published>>;
